// What the sections of the page say of networks, losses, flips and errors.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/browser/sample_report.hpp"
#include "tests/reports/page.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SectionsTest, FoldsWhatIsNotTestableAwayBehindALineThatSaysWhy) {
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
  EXPECT_EQ(occurrences(page.substr(0, page.find("<article")), "in 7 places: The backend has no"),
            1U)
      << "at a glance";
  const std::size_t claim = page.find("<article class=\"claim\" id=\"claim-0\">");
  const std::size_t fold = page.find("<details><summary>", claim);
  const std::size_t end = page.find("</article>", claim);
  ASSERT_LT(fold, end);
  EXPECT_EQ(page.substr(claim, fold - claim).find("not_testable"), page.npos);
  const std::string folded = page.substr(fold, end - fold);
  EXPECT_THAT(
      folded,
      HasSubstr("7 places are not testable: The backend has no kernel for it (6); It needs a "
                "GPU, and none is here (1).</summary>"));
  EXPECT_EQ(occurrences(folded, "data-verdict=\"not_testable\""), 7U);
  EXPECT_THAT(folded, HasSubstr("takes FP32 only"));
}

TEST(SectionsTest, ShowsSpeedupsOfAModelsLayersUnderItsName) {
  const std::string speed = section(page_of(sample_report()), "speed");
  EXPECT_EQ(occurrences(speed, "<h3>"), 3U);
  EXPECT_EQ(occurrences(speed, "<h4>"), 6U);
  EXPECT_EQ(occurrences(speed, "<details>"), 6U) << "each layer by itself is folded away";
}

TEST(SectionsTest, ShowsThroughputAndLatencyOfWholeNetworks) {
  const std::string networks = section(page_of(sample_report()), "networks");
  EXPECT_THAT(networks, HasSubstr("<h3>fmnist-cnn</h3>\n<h4>one sample at a time, 2 threads"));
  EXPECT_THAT(networks, HasSubstr("<h4>128 samples at once, 2 threads</h4>"));
  EXPECT_THAT(networks, Not(HasSubstr("fmnist-features"))) << "only its layers were timed";
  EXPECT_EQ(occurrences(networks, "is the baseline"), 8U)
      << "two regimes: the fastest FP32 over all, and each of three backends' own";
  EXPECT_THAT(networks, HasSubstr("13763 (13488–14039)"));
  EXPECT_THAT(networks, HasSubstr("210 µs (206–214)"));
}

TEST(SectionsTest, MarksFiguresOfNetworksThatAreNotTrusted) {
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

TEST(SectionsTest, TakesTheNetworksOwnSpeedupAgainstItsLoss) {
  const std::string tradeoff = section(page_of(sample_report()), "tradeoff");
  const std::string network = tradeoff.substr(tradeoff.find("<h3>fmnist-cnn, 128 samples"));
  EXPECT_THAT(network, HasSubstr("The network against the fastest FP32"));
  EXPECT_THAT(network, Not(HasSubstr("Mean over the layers")));
  EXPECT_THAT(network, HasSubstr("2.89× (2.80–2.98)")) << "W8A8, cpu: 0.9 * 3.1 + 0.1";
  EXPECT_THAT(network, HasSubstr("<th scope=\"row\">FP32</th><td>cpu</td><td class=\"number\">1×"))
      << "the baseline is a point, too";
}

TEST(SectionsTest, SaysWhichPointsNoOtherBeats) {
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

TEST(SectionsTest, PutsTheClaimedLossBesideTheOneFound) {
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

TEST(SectionsTest, SaysHowManyAnswersChangedAndWhetherMoreThanByChance) {
  const std::string flips = section(page_of(sample_report()), "flips");
  EXPECT_THAT(flips, HasSubstr("FP32 changes 2 of its own predictions"));
  EXPECT_THAT(flips, HasSubstr("<td class=\"number\">2 by itself</td>"));
  EXPECT_THAT(flips, HasSubstr("<td class=\"number\">25</td><td class=\"number\">7</td><td>real"));
  EXPECT_THAT(flips, HasSubstr("no more than chance (p\u00A0=\u00A00.62)"));
}

TEST(SectionsTest, FollowsTheErrorThroughTheLayersOfANetwork) {
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

TEST(SectionsTest, TakesAnotherBackendWhereTheProjectsOwnHasNoSuchScheme) {
  ReportInput input = sample_report();
  std::erase_if(input.records, [](const Record& record) {
    return record.scheme == "W8A8" && record.backend == "cpu";
  });
  EXPECT_THAT(section(page_of(input), "errors"), HasSubstr("BF16 on cpu, W8A8 on onednn"));
}

}  // namespace
}  // namespace qassay
