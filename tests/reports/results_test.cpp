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
  record.count = 4;
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

TEST(ResultsTest, KeepsTheLayersOfEachModelInItsOwnOrder) {
  std::vector<Record> records;
  for (const auto& [model, layer] : {std::pair{"small", "classes"}, std::pair{"network", "conv1"},
                                     std::pair{"network", "classes"}}) {
    records.push_back(speedup(layer, "W8A8", 1, 1, 1));
    records.back().model = model;
    records.back().case_key += model;
  }
  const Results results(records);
  ASSERT_EQ(results.series.size(), 2U);
  ASSERT_EQ(results.series[1].layers.size(), 2U);
  EXPECT_EQ(results.series[1].layers[0]->about->layer, "conv1");
}

TEST(ResultsTest, PutsANetworkBesideItsLayersInEachRegime) {
  std::vector<Record> records = {speedup("q", "W8A8", 3, 2.9, 3.1), speedup("", "W8A8", 2, 1.9, 2),
                                 speedup("q", "W8A8", 3, 2.9, 3.1)};
  records[2].m = 128;
  records[2].case_key += "/m128";
  const Results results(records);
  ASSERT_EQ(results.regimes.size(), 2U);
  ASSERT_EQ(results.regimes[0].networks.size(), 1U);
  EXPECT_EQ(results.regimes[0].networks[0]->find("speedup")->value, 2);
  ASSERT_EQ(results.regimes[0].series.size(), 1U);
  EXPECT_TRUE(results.regimes[1].networks.empty());
  EXPECT_EQ(results.regimes[1].about().m, 128);
}

TEST(MeanSpeedupTest, IsTheGeometricMeanWithTheIntervalOfIndependentLayers) {
  // Student's t at 97.5 %: a layer's error has 3 degrees of freedom, two equal ones together 6.
  constexpr double kT3 = 3.182446305284263;
  constexpr double kT6 = 2.446911851144969;
  const std::vector<Record> records = {speedup("q", "W8A8", 2, 2 / 1.1, 2 * 1.1),
                                       speedup("k", "W8A8", 8, 8 / 1.1, 8 * 1.1)};
  const Results results(records);
  ASSERT_EQ(results.series.size(), 1U);
  const auto mean = mean_speedup(results.series[0], "best-fp32");
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->figure.value, 4, 1e-12);
  const double half_width = std::pow(1.1, kT6 / kT3 * std::sqrt(2.0) / 2);
  EXPECT_NEAR(mean->figure.low, 4 / half_width, 1e-9);
  EXPECT_NEAR(mean->figure.high, 4 * half_width, 1e-9);
  EXPECT_EQ(mean->count, 2);
  EXPECT_EQ(mean->smallest, 2);
  EXPECT_EQ(mean->largest, 8);
}

TEST(MeanSpeedupTest, LeavesOutWhatHasNoInterval) {
  std::vector<Record> records = {speedup("q", "W8A8", 2, 1.9, 2.1), speedup("k", "W8A8", 8, 7, 9),
                                 speedup("v", "W8A8", 8, -1, 9)};
  records[1].count = 1;
  const Results results(records);
  const auto mean = mean_speedup(results.series[0], "best-fp32");
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->figure.value, 2, 1e-12);
  EXPECT_EQ(mean->count, 1);
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
