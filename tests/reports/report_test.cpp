#include "reports/report.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "embedded/chart_js.hpp"
#include "reports/html.hpp"
#include "tests/browser/sample_report.hpp"
#include "tests/reports/page.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kLargestPage = 3'000'000;

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
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"bars", 14}, {"scatter", 6}, {"lines", 2}}));
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
        "No layer was timed in this run.", "This run did not record what its layers reached.",
        "No predictions were compared in this run.",
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
