// What the page says of the rates that layers reached.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/browser/sample_report.hpp"
#include "tests/reports/page.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Two layers of one scheme on our backend.
class RooflineTest : public ::testing::Test {
 protected:
  void add(const char* layer, const char* metric, double value, const char* unit,
           const char* baseline = "") {
    Record record;
    record.case_key = fmt::format("{}/{}/{}", layer, cache_, scheme_);
    record.arm = std::string("a");
    record.model = std::string("net");
    record.layer = layer;
    record.m = cache_ == "cold" ? 1 : 128;
    record.cache = cache_;
    record.threads = 2;
    record.scheme = scheme_;
    record.backend = std::string("cpu");
    record.status = std::string("passed");
    record.metric = metric;
    record.value = value;
    record.low = value * 0.98;
    record.high = value * 1.02;
    record.count = 4;
    record.unit = unit;
    record.baseline = baseline;
    input_.records.push_back(record);
  }
  void add_rates(const char* layer, double bandwidth, double operation_rate) {
    add(layer, "operation_rate", operation_rate, "op/s");
    add(layer, "bandwidth", bandwidth, "B/s");
  }
  std::string roofline() const { return section(page_of(input_), "roofline"); }

  ReportInput input_;
  std::string cache_ = "cold";
  std::string scheme_ = "W8A8";
};

TEST_F(RooflineTest, PutsTheRateThatTheCeilingBoundsFirstWithItsShare) {
  add_rates("up", 15.2e9, 30.4e9);
  add("up", "ceiling_fraction", 0.76, "fraction", "read-rate");
  cache_ = "hot";
  add_rates("up", 2.1e9, 612e9);
  add("up", "ceiling_fraction", 0.745, "fraction", "int8-peak");
  const std::string page = roofline();
  EXPECT_THAT(page, HasSubstr("style=\"--reached:76%\">15.2 GB/s · 76\u00A0%<small>30.4 GOP/s"));
  EXPECT_THAT(page, HasSubstr("style=\"--reached:74%\">612 GOP/s · 74\u00A0%<small>2.10 GB/s"));
  EXPECT_THAT(page, HasSubstr("probed beside it: reading memory 20.0 GB/s."));
  EXPECT_THAT(page, HasSubstr("probed beside it: INT8 arithmetic 821 GOP/s."));
}

TEST_F(RooflineTest, GivesTheMeanOverTheLayersAndOverTheirPeers) {
  add_rates("up", 10e9, 20e9);
  add("up", "ceiling_fraction", 0.4, "fraction", "read-rate");
  add("up", "speedup", 1.2, "ratio", "best-peer");
  add_rates("down", 22.5e9, 45e9);
  add("down", "ceiling_fraction", 0.9, "fraction", "read-rate");
  add("down", "speedup", 1.2, "ratio", "best-peer");
  const std::string page = roofline();
  EXPECT_THAT(page, HasSubstr("style=\"--reached:60%\">60\u00A0%<small>1.20× best peer</small>"));
  EXPECT_EQ(occurrences(page, "<small>1.20× best peer</small>"), 3U) << "of each layer, too";
}

TEST_F(RooflineTest, NeitherShadesNorCountsWhatIsNotTrusted) {
  add_rates("up", 10e9, 20e9);
  add("up", "ceiling_fraction", 0.4, "fraction", "read-rate");
  const std::size_t trusted = input_.records.size();
  add_rates("down", 40e9, 80e9);
  add("down", "ceiling_fraction", 1.6, "fraction", "read-rate");
  for (std::size_t i = trusted; i < input_.records.size(); ++i)
    input_.records[i].status = "mistrusted";
  const std::string page = roofline();
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">40.0 GB/s · 160\u00A0% <span class=\"mark\">"));
  EXPECT_THAT(page, HasSubstr("style=\"--reached:40%\">40\u00A0%</td>")) << "the mean";
}

TEST_F(RooflineTest, ShowsRatesWhereTheMachineHasNoProbe) {
  add_rates("up", 15.2e9, 30.4e9);
  const std::string page = roofline();
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">15.2 GB/s<small>30.4 GOP/s</small></td>"));
  EXPECT_THAT(page, HasSubstr("No ceiling was probed."));
  EXPECT_THAT(page, Not(HasSubstr("--reached")));
}

TEST_F(RooflineTest, LeavesADashForALayerWithoutAFigure) {
  add_rates("up", 15.2e9, 30.4e9);
  add("down", "latency", 0.001, "s");
  EXPECT_THAT(roofline(), HasSubstr("<td class=\"number\">–</td></tr></tbody>"));
}

TEST_F(RooflineTest, SaysThatAnOldRunDidNotRecordIt) {
  add("up", "latency", 0.001, "s");
  EXPECT_THAT(roofline(), HasSubstr("This run did not record what its layers reached."));
  EXPECT_THAT(roofline(), Not(HasSubstr("<table")));
}

TEST_F(RooflineTest, EscapesLayersModelsAndCeilings) {
  add_rates("<i>up</i>", 15.2e9, 30.4e9);
  add("<i>up</i>", "ceiling_fraction", 0.76, "fraction", "<i>bound</i>");
  for (Record& record : input_.records) record.model = "<i>net</i>";
  const std::string page = roofline();
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
  EXPECT_THAT(page, HasSubstr("&lt;i&gt;bound&lt;/i&gt;"));
}

TEST_F(RooflineTest, FoldsTheLayersOfEachRegimeUnderATableOfTheModel) {
  const std::string page = section(page_of(sample_report()), "roofline");
  EXPECT_EQ(occurrences(page, "<h3>"), 3U);
  EXPECT_EQ(occurrences(page, "<details>"), 6U);
  EXPECT_EQ(occurrences(page, "<table>"), 9U);
}

TEST_F(RooflineTest, EndsLongTablesWithALineThatSaysSo) {
  for (const char* scheme : {"FP32", "FP16", "BF16", "W8A8", "W8A16", "W4A8"}) {
    scheme_ = scheme;
    for (int layer = 0; layer < 1000; ++layer)
      add_rates(fmt::format("layer{}", layer).c_str(), 15.2e9, 30.4e9);
  }
  EXPECT_THAT(roofline(), HasSubstr("1 more rows are left out here"));
}

}  // namespace
}  // namespace qassay
