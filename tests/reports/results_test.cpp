#include "reports/results.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace qassay {
namespace {

Record speedup(std::string_view layer, std::string_view scheme, double value, double low,
               double high) {
  Record record;
  record.case_key = fmt::format("{}/{}", layer, scheme);
  record.arm = std::string("a");
  record.model = "model";
  record.layer = layer;
  record.m = 1;
  record.cache = "cold";
  record.threads = 2;
  record.scheme = scheme;
  record.backend = "cpu";
  record.status = "passed";
  record.metric = "speedup";
  record.baseline = "best-fp32";
  record.value = value;
  record.low = low;
  record.high = high;
  return record;
}

TEST(ResultsTest, GathersTheRecordsOfACase) {
  std::vector<Record> records = {speedup("q", "W8A8", 3, 2.9, 3.1)};
  records.push_back(records[0]);
  records[1].metric = "loss";
  records[1].baseline = "own-fp32";
  const Results results(records);
  ASSERT_EQ(results.cells.size(), 1U);
  EXPECT_EQ(results.cells[0].find("loss"), &records[1]);
  EXPECT_EQ(results.cells[0].find("speedup", "best-fp32"), &records[0]);
  EXPECT_EQ(results.cells[0].find("speedup", "own-fp32"), nullptr);
}

TEST(ResultsTest, LeavesSecondArmsOut) {
  std::vector<Record> records = {speedup("q", "W8A8", 3, 2.9, 3.1)};
  records.push_back(records[0]);
  records[1].arm = std::string("b");
  records[1].value = 9;
  const Results results(records);
  ASSERT_EQ(results.cells.size(), 1U);
  EXPECT_EQ(results.cells[0].find("speedup")->value, 3);
}

TEST(ResultsTest, PutsWideSchemesFirstAndUnknownOnesLast) {
  const std::vector<Record> records = {
      speedup("q", "odd", 1, 1, 1),       speedup("q", "W4A8-g128", 1, 1, 1),
      speedup("q", "W4A16-g32", 1, 1, 1), speedup("q", "W4A16-g128", 1, 1, 1),
      speedup("q", "W8A8", 1, 1, 1),      speedup("q", "BF16", 1, 1, 1),
      speedup("q", "FP16", 1, 1, 1),      speedup("q", "FP32", 1, 1, 1)};
  const Results results(records);
  std::string order;
  for (const Series& series : results.series) order += fmt::format("{} ", series.about().scheme);
  EXPECT_EQ(order, "FP32 FP16 BF16 W8A8 W4A16-g32 W4A16-g128 W4A8-g128 odd ");
}

TEST(MeanSpeedupTest, IsTheGeometricMeanWithTheHalfWidthsAddedAsSquares) {
  // Half-widths of the logs: log 1.1 twice, so sqrt(2) log 1.1 / 2.
  const std::vector<Record> records = {speedup("q", "W8A8", 2, 2 / 1.1, 2 * 1.1),
                                       speedup("k", "W8A8", 8, 8 / 1.1, 8 * 1.1)};
  const Results results(records);
  ASSERT_EQ(results.series.size(), 1U);
  const auto mean = mean_speedup(results.series[0], "best-fp32");
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->figure.value, 4, 1e-12);
  const double half_width = std::pow(1.1, std::sqrt(2.0) / 2);
  EXPECT_NEAR(mean->figure.low, 4 / half_width, 1e-12);
  EXPECT_NEAR(mean->figure.high, 4 * half_width, 1e-12);
  EXPECT_EQ(mean->count, 2);
  EXPECT_EQ(mean->smallest, 2);
  EXPECT_EQ(mean->largest, 8);
}

TEST(MeanSpeedupTest, TakesTheFastestKernelOfALayerAndNothingThatIsMistrusted) {
  std::vector<Record> records = {speedup("q", "W8A8", 2, 1.9, 2.1),
                                 speedup("q", "W8A8", 3, 2.9, 3.1),
                                 speedup("k", "W8A8", 50, 49, 51)};
  records[1].case_key.append("/other-kernel");
  records[2].status = "mistrusted";
  const Results results(records);
  ASSERT_EQ(results.series.size(), 1U);
  const auto mean = mean_speedup(results.series[0], "best-fp32");
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->figure.value, 3, 1e-12);
  EXPECT_EQ(mean->count, 1);
  EXPECT_EQ(layer_count(results.series[0]), 2U);
  EXPECT_FALSE(mean_speedup(results.series[0], "own-fp32"));
}

}  // namespace
}  // namespace qassay
