#include "reports/report.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "embedded/chart_js.hpp"
#include "reports/html.hpp"
#include "tests/browser/sample_report.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kLargestPage = 3'000'000;

std::string page_of(const ReportInput& input) {
  std::ostringstream out;
  write_report(input, out);
  return out.str();
}

/// The HTML of one section, from its heading on.
std::string section(const std::string& page, const std::string& id) {
  const std::size_t begin = page.find("<section id=\"" + id + "\">");
  if (begin == page.npos) throw std::logic_error("the page has no section " + id);
  return page.substr(begin, page.find("</section>", begin) - begin);
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ReportTest, HasTheFieldsOfEveryVerdictInOrder) {
  const ReportInput input = sample_report();
  const std::string page = page_of(input);
  std::size_t at = 0;
  for (const VerdictRow& row : input.verdicts) {
    const std::string fields = fmt::format(
        "data-id=\"{}\" data-verdict=\"{}\" data-reason=\"{}\" data-kind=\"{}\" data-scheme=\"{}\" "
        "data-regime=\"{}\" data-backend=\"{}\" data-baseline=\"{}\" data-estimate=\"{}\" "
        "data-low=\"{}\" data-high=\"{}\" data-claimed-low=\"{}\" data-claimed-high=\"{}\" "
        "data-covered=\"{}\" data-cells=\"{}\"",
        row.id, row.verdict, row.reason, row.kind, row.scheme, row.regime, html(row.backend),
        row.baseline, row.estimate, row.low, row.high, row.claimed_low, row.claimed_high,
        row.covered, row.cells);
    at = page.find(fields, at);
    ASSERT_NE(at, page.npos) << fields;
    ++at;
  }
  EXPECT_EQ(occurrences(page, "<tr role=\"row\" class=\"verdict "), input.verdicts.size());
}

TEST(ReportTest, FoldsWhatIsNotTestableAwayBehindALineThatSaysWhy) {
  ReportInput input = sample_report();
  const VerdictRow* found = nullptr;
  for (const VerdictRow& row : input.verdicts) {
    if (row.id == "speed.int8" && row.verdict == "not_testable") found = &row;
  }
  ASSERT_NE(found, nullptr);
  VerdictRow other = *found;
  other.reason = "needs_gpu";
  // It came first: what was tested stands before it all the same.
  input.verdicts.insert(input.verdicts.begin(), other);
  const std::string page = page_of(input);
  const std::size_t claim = page.find("<article class=\"claim\" id=\"claim-0\">");
  const std::size_t fold = page.find("<details><summary>", claim);
  const std::size_t end = page.find("</article>", claim);
  ASSERT_LT(fold, end);
  EXPECT_EQ(page.substr(claim, fold - claim).find("not_testable"), page.npos);
  const std::string folded = page.substr(fold, end - fold);
  EXPECT_THAT(folded,
              HasSubstr("7 places are not testable: No kernel here takes it (6); It needs a "
                        "GPU, and none is here (1).</summary>"));
  EXPECT_EQ(occurrences(folded, "data-verdict=\"not_testable\""), 7U);
  EXPECT_THAT(folded, HasSubstr("takes FP32 only"));
}

TEST(ReportTest, NeverShowsAComputedFigureAsMeasured) {
  const std::string page = page_of(sample_report());
  const std::regex computed_row("<tr[^>]*data-kind=\"(?:derived|predicted)\"[^>]*>.*?</tr>");
  std::size_t rows = 0;
  for (std::sregex_iterator row(page.begin(), page.end(), computed_row), end; row != end; ++row) {
    EXPECT_THAT(row->str(), HasSubstr("not measured"));
    EXPECT_THAT(row->str(), HasSubstr("class=\"bar computed\""));
    EXPECT_THAT(row->str(), Not(HasSubstr("measured here")));
    ++rows;
  }
  EXPECT_EQ(rows, 2U);
}

TEST(ReportTest, ShowsSpeedLossMemoryAndAccuracyInTheirSections) {
  const std::string page = page_of(sample_report());
  EXPECT_THAT(section(page, "speed"), HasSubstr("<h3>decoder-7b</h3>\n<h4>decode: M = 1, cold"));
  EXPECT_THAT(section(page, "speed"), HasSubstr("brgemm:avx512_core_vnni"));
  EXPECT_THAT(section(page, "speed"), HasSubstr("Every layer (47 rows)"));
  EXPECT_THAT(section(page, "tradeoff"), HasSubstr("Speed against accuracy lost, fmnist-features"));
  EXPECT_THAT(section(page, "tradeoff"), HasSubstr("Speed against output error, decoder-7b"));
  EXPECT_THAT(section(page, "memory"), HasSubstr("25.02 %")) << "W8A8 of FP32";
  EXPECT_THAT(section(page, "memory"), HasSubstr("Largest workspace"));
  EXPECT_THAT(section(page, "memory"), HasSubstr("Peak of the worker process"));
  EXPECT_THAT(section(page, "accuracy"), HasSubstr("86.1 % (85.4–86.8)"));
  EXPECT_THAT(section(page, "accuracy"), HasSubstr("0.2 % (0.0–0.4)"));
}

TEST(ReportTest, ShowsSpeedupsOfAModelsLayersUnderItsName) {
  const std::string speed = section(page_of(sample_report()), "speed");
  EXPECT_EQ(occurrences(speed, "<h3>"), 3U);
  EXPECT_EQ(occurrences(speed, "<h4>"), 6U);
  EXPECT_EQ(occurrences(speed, "<details>"), 6U) << "each layer by itself is folded away";
}

TEST(ReportTest, ShowsThroughputAndLatencyOfWholeNetworks) {
  const std::string networks = section(page_of(sample_report()), "networks");
  EXPECT_THAT(networks, HasSubstr("<h3>fmnist-cnn</h3>\n<h4>one sample at a time, 2 threads"));
  EXPECT_THAT(networks, HasSubstr("<h4>128 samples at once, 2 threads</h4>"));
  EXPECT_THAT(networks, Not(HasSubstr("fmnist-features"))) << "only its layers were timed";
  EXPECT_EQ(occurrences(networks, "is the baseline"), 8U)
      << "two regimes: the fastest FP32 over all, and each of three backends' own";
  EXPECT_THAT(networks, HasSubstr("13763 (13488–14039)"));
  EXPECT_THAT(networks, HasSubstr("210 µs (206–214)"));
}

TEST(ReportTest, MarksFiguresOfNetworksThatAreNotTrusted) {
  ReportInput input = sample_report();
  for (Record& record : input.records) {
    if (record.layer.empty() && record.scheme == "W8A8") record.status = "mistrusted";
  }
  const std::string page = page_of(input);
  for (const char* id : {"networks", "accuracy", "flips"}) {
    EXPECT_THAT(section(page, id), HasSubstr("<span class=\"mark\">mistrusted</span>")) << id;
  }
  const std::string tradeoff = section(page, "tradeoff");
  const std::string network = tradeoff.substr(tradeoff.find("<h3>fmnist-cnn"));
  EXPECT_THAT(network, HasSubstr("BF16"));
  EXPECT_THAT(network, Not(HasSubstr("W8A8")));
}

TEST(ReportTest, TakesTheNetworksOwnSpeedupAgainstItsLoss) {
  const std::string tradeoff = section(page_of(sample_report()), "tradeoff");
  const std::string network = tradeoff.substr(tradeoff.find("<h3>fmnist-cnn, 128 samples"));
  EXPECT_THAT(network, HasSubstr("The network against the fastest FP32"));
  EXPECT_THAT(network, Not(HasSubstr("Mean over the layers")));
  EXPECT_THAT(network, HasSubstr("2.89× (2.80–2.98)")) << "W8A8, cpu: 0.9 * 3.1 + 0.1";
  EXPECT_THAT(network, HasSubstr("<th scope=\"row\">FP32</th><td>cpu</td><td class=\"number\">1×"))
      << "the baseline is a point, too";
}

TEST(ReportTest, SaysWhichPointsNoOtherBeats) {
  ReportInput input;
  const auto add = [&](const char* scheme, double speed, double loss, double loss_reach) {
    Record record;
    record.case_key = scheme;
    record.model = "network";
    record.m = 128;
    record.cache = "hot";
    record.threads = 2;
    record.scheme = scheme;
    record.backend = "cpu";
    record.status = "passed";
    record.metric = "speedup";
    record.baseline = "best-fp32";
    record.count = 4;
    record.value = speed;
    record.low = speed - 0.1;
    record.high = speed + 0.1;
    input.records.push_back(record);
    record.metric = "loss";
    record.unit = "percent";
    record.value = loss;
    record.low = loss - loss_reach;
    record.high = loss + loss_reach;
    input.records.push_back(record);
  };
  add("FP16", 1, 0.1, 0.01);
  add("W8A8", 2, 0.3, 0.01);
  add("W8A16", 1.5, 0.5, 0.01);       // slower and worse than W8A8
  add("W4A16-g32", 1.95, 0.35, 0.2);  // so, too, but within the intervals
  const std::string tradeoff = section(page_of(input), "tradeoff");
  const auto standing = [&](const std::string& scheme) {
    const std::size_t row = tradeoff.find("<th scope=\"row\">" + scheme + "</th>");
    const std::string cells = tradeoff.substr(row, tradeoff.find("</tr>", row) - row);
    return cells.substr(cells.rfind("<td>"));
  };
  EXPECT_EQ(standing("FP16"), "<td>on it</td>");
  EXPECT_EQ(standing("W8A8"), "<td>on it</td>");
  EXPECT_EQ(standing("W8A16"), "<td>beaten by W8A8\u00A0· cpu</td>");
  EXPECT_EQ(standing("W4A16-g32"), "<td>behind W8A8\u00A0· cpu, within the intervals</td>");
}

TEST(ReportTest, PutsTheClaimedLossBesideTheOneFound) {
  const ReportInput input = sample_report();
  const std::string accuracy = section(page_of(input), "accuracy");
  EXPECT_THAT(accuracy, HasSubstr("0.2 % (0.0–0.4)</td><td class=\"number\">1–3 %</td>"));
  EXPECT_THAT(accuracy, HasSubstr("1.9 % (1.7–2.1)</td><td class=\"number\">3–10 %</td>"));
  EXPECT_THAT(accuracy, HasSubstr("2.2 % (2.0–2.4)</td><td class=\"number\">–</td>"))
      << "nothing is claimed of W4A8-g128";
  EXPECT_THAT(accuracy, HasSubstr("On 10000 samples."));
  ReportInput unclaimed = input;
  unclaimed.verdicts.clear();
  EXPECT_THAT(section(page_of(unclaimed), "accuracy"), Not(HasSubstr("1–3 %")));
}

TEST(ReportTest, SaysHowManyAnswersChangedAndWhetherMoreThanByChance) {
  const std::string flips = section(page_of(sample_report()), "flips");
  EXPECT_THAT(flips, HasSubstr("FP32 changes 2 of its own predictions"));
  EXPECT_THAT(flips, HasSubstr("<td class=\"number\">2 by itself</td>"));
  EXPECT_THAT(flips, HasSubstr("<td class=\"number\">25</td><td class=\"number\">7</td><td>real"));
  EXPECT_THAT(flips, HasSubstr("no more than chance (p\u00A0=\u00A00.62)"));
}

TEST(ReportTest, FollowsTheErrorThroughTheLayersOfANetwork) {
  const std::string errors = section(page_of(sample_report()), "errors");
  EXPECT_THAT(errors, HasSubstr("<h3>fmnist-cnn, 128 samples at once, 2 threads</h3>"));
  EXPECT_THAT(errors, HasSubstr("All on cpu."));
  EXPECT_EQ(occurrences(errors, "<h3>"), 1U) << "the others are no networks, or were not followed";
  std::size_t at = 0;
  for (const char* layer : {"stem", "block1.depth", "block1.point", "block2.depth", "classes"}) {
    at = errors.find(fmt::format("<th scope=\"row\">{}</th>", layer), at);
    ASSERT_NE(at, errors.npos) << layer;
  }
  EXPECT_THAT(errors, Not(HasSubstr("FP32</th>")));
}

TEST(ReportTest, TakesAnotherBackendWhereTheProjectsOwnHasNoSuchScheme) {
  ReportInput input = sample_report();
  std::erase_if(input.records, [](const Record& record) {
    return record.scheme == "W8A8" && record.backend == "cpu";
  });
  EXPECT_THAT(section(page_of(input), "errors"), HasSubstr("BF16 on cpu, W8A8 on onednn"));
}

TEST(ReportTest, SaysWhatHasNoTrustedFigureAndWhy) {
  const std::string trouble = section(page_of(sample_report()), "trouble");
  EXPECT_THAT(trouble, HasSubstr("openblas has no kernel for W8A8"));
  EXPECT_THAT(trouble, HasSubstr("signal 11 (SIGSEGV)"));
  EXPECT_THAT(trouble, HasSubstr("1.31 times the probed ceiling"));
  EXPECT_THAT(trouble, HasSubstr("qassay show &#39;decoder-7b/attn.q/m1-cold/FP16/cpu&#39;"));
}

TEST(ReportTest, ShowsMachineBuildAndCommand) {
  const ReportInput input = sample_report();
  const std::string machine = section(page_of(input), "machine");
  EXPECT_THAT(machine, HasSubstr(input.machine.cpu));
  EXPECT_THAT(machine, HasSubstr("32 MiB"));
  EXPECT_THAT(machine, HasSubstr("hypervisor"));
  EXPECT_THAT(machine, HasSubstr("abcdef0123"));
  EXPECT_THAT(machine, HasSubstr(html(input.command)));
  EXPECT_THAT(section(page_of(input), "method"), HasSubstr("timed 20 cases against themselves"));
}

TEST(ReportTest, EscapesEveryTextFromOutside) {
  const std::string planted = "</script><b>\"'&\x01\xFF{{charts}}";
  ReportInput input = sample_report();
  for (std::string* text : {&input.title, &input.generated, &input.suite, &input.command,
                            &input.machine.cpu, &input.machine.fingerprint}) {
    *text = planted;
  }
  for (auto* facts : {&input.build, &input.machine.facts}) facts->push_back({planted, planted});
  for (Record& record : input.records) {
    for (std::string* text :
         {&record.model, &record.layer, &record.scheme, &record.method, &record.backend,
          &record.kernel, &record.implementation, &record.reason, &record.unit, &record.cache}) {
      if (!text->empty()) *text += planted;
    }
    record.case_key += planted;
  }
  for (VerdictRow& row : input.verdicts) {
    for (std::string* text :
         {&row.id, &row.verdict, &row.reason, &row.kind, &row.scheme, &row.regime, &row.backend,
          &row.baseline, &row.statement, &row.source, &row.unit, &row.better, &row.note}) {
      *text += planted;
    }
  }
  const std::string page = page_of(input);
  EXPECT_EQ(occurrences(page, "<b>"), 0U);
  EXPECT_EQ(occurrences(page, "</script>"), 3U);
  EXPECT_EQ(page.find('\x01'), page.npos);
  EXPECT_EQ(page.find('\xFF'), page.npos);
  EXPECT_GT(occurrences(page, "&lt;/script&gt;&lt;b&gt;&quot;&#39;&amp;␁�{{charts}}"), 500U);
}

TEST(ReportTest, PutsChartsInAsJson) {
  if (embedded::chart_js().empty()) GTEST_SKIP() << "this build has no Chart.js";
  const std::string page = page_of(sample_report());
  const std::string open = "<script type=\"application/json\" id=\"charts\">";
  const std::size_t begin = page.find(open) + open.size();
  const auto charts =
      nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(charts.size(), occurrences(page, "data-chart=\""));
  EXPECT_EQ(charts[0]["kind"], "bars");
  EXPECT_EQ(charts[0]["rows"].size(), 12U);
  EXPECT_NEAR(charts[0]["reference"], 0.21, 1e-12) << "ms of the fastest FP32";
  std::map<std::string, int> kinds;
  bool band = false;
  bool frontier = false;
  for (const auto& chart : charts) {
    ++kinds[chart["kind"]];
    for (const auto& row : chart["rows"]) {
      band = band || row.contains("band");
      frontier = frontier || row.value("frontier", false);
    }
  }
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"bars", 13}, {"scatter", 6}, {"lines", 2}}));
  EXPECT_TRUE(band) << "a claimed loss";
  EXPECT_TRUE(frontier);
  EXPECT_THAT(page, HasSubstr("Released under the MIT License")) << "Chart.js keeps its licence";
}

TEST(ReportTest, RefersToNothingOutsideItself) {
  const std::string page = page_of(sample_report());
  EXPECT_FALSE(std::regex_search(page.substr(0, page.find("<script>")),
                                 std::regex("(?:src|href|action)=[\"']?[^\"'#]")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(ReportTest, WarnsOfAQuickRun) {
  ReportInput input = sample_report();
  const std::string warning = "Quick run: no claim is confirmed or refuted";
  EXPECT_THAT(page_of(input), Not(HasSubstr(warning)));
  input.quick = true;
  EXPECT_THAT(page_of(input), HasSubstr(warning));
}

TEST(ReportTest, SaysInASentenceThatThereIsNothing) {
  const std::string page = page_of({});
  for (const char* sentence :
       {"No claim was judged in this run.", "No whole network was timed in this run.",
        "No layer was timed in this run.", "No predictions were compared in this run.",
        "No network's layers were followed in this run.",
        "No scheme has both a speed and a loss in this run.", "No memory was measured in this run.",
        "No model was evaluated in this run.", "Every case of this run has trusted figures.",
        "Nothing is known of the build.", "The command that made this run was not kept."}) {
    EXPECT_THAT(page, HasSubstr(sentence));
  }
  EXPECT_THAT(page, Not(HasSubstr("<figure")));
  EXPECT_THAT(page, HasSubstr("id=\"charts\">[]</script>"));
}

TEST(ReportTest, StaysUnderThreeMegabytesWhateverTheSweep) {
  ReportInput input = sample_report();
  EXPECT_LT(page_of(input).size(), kLargestPage);
  const std::vector<Record> once = input.records;
  for (int copy = 1; copy < 12; ++copy) {
    for (Record record : once) {
      if (!record.layer.empty()) record.layer += fmt::format(".{}", copy);
      record.case_key += fmt::format(".{}", copy);
      input.records.push_back(record);
    }
  }
  ASSERT_GT(input.records.size(), 10000U);
  const std::string page = page_of(input);
  EXPECT_LT(page.size(), kLargestPage);
  EXPECT_THAT(page, HasSubstr("more rows are left out here; the export has them all"));
}

}  // namespace
}  // namespace qassay
