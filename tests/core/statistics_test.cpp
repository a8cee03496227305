#include "core/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace qassay {
namespace {

TEST(QuantileTest, InterpolatesLinearly) {
  const std::vector<double> values{40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 10);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 17.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 25);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 37);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 40);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median(std::vector<double>{7}), 7);
}

TEST(QuantileTest, RefusesWhatHasNone) {
  EXPECT_THROW(quantile({}, 0.5), std::invalid_argument);
  const std::vector<double> one{1};
  EXPECT_THROW(quantile(one, 1.5), std::invalid_argument);
  EXPECT_THROW(quantile(one, std::nan("")), std::invalid_argument);
}

TEST(GeometricMeanTest, OfNumbers) {
  EXPECT_DOUBLE_EQ(geometric_mean(std::vector<double>{1, 4, 16}), 4);
  EXPECT_THROW(geometric_mean(std::vector<double>{1, 0}), std::invalid_argument);
  EXPECT_THROW(geometric_mean(std::vector<double>{}), std::invalid_argument);
}

TEST(RatioOverLegsTest, IsStudentsIntervalOfTheLegsMedians) {
  // Medians 0.6, 0.7, 0.8: mean 0.7, standard error 0.1 / sqrt(3), t(2, 0.975) = 4.302653.
  const std::vector<std::vector<double>> legs{{0.6, 0.1, 0.65}, {0.7}, {0.8, 0.8, 5.0}};
  const std::optional<Interval> ratio = ratio_over_legs(legs);
  ASSERT_TRUE(ratio);
  const double reach = 4.302652729911275 * 0.1 / std::sqrt(3.0);
  EXPECT_NEAR(ratio->value, std::exp(0.7), 1e-12);
  EXPECT_NEAR(ratio->low, std::exp(0.7 - reach), 1e-9);
  EXPECT_NEAR(ratio->high, std::exp(0.7 + reach), 1e-9);
  EXPECT_EQ(ratio->count, 3);
}

TEST(RatioOverLegsTest, SwappingTheArmsInvertsTheInterval) {
  std::vector<std::vector<double>> legs{{0.1, 0.2, 0.15}, {0.3, 0.1}, {0.0, 0.25, 0.2}};
  const Interval forth = ratio_over_legs(legs).value();
  for (auto& leg : legs) {
    for (double& log : leg) log = -log;
  }
  const Interval back = ratio_over_legs(legs).value();
  EXPECT_NEAR(forth.value * back.value, 1, 1e-12);
  EXPECT_NEAR(forth.low * back.high, 1, 1e-12);
}

TEST(RatioOverLegsTest, OneLegSaysNothingAboutTheSpreadOfLegs) {
  EXPECT_FALSE(ratio_over_legs({}));
  EXPECT_FALSE(ratio_over_legs(std::vector<std::vector<double>>{{0.1, 0.2, 0.3}}));
  EXPECT_FALSE(ratio_over_legs(std::vector<std::vector<double>>{{0.1, 0.2, 0.3}, {}}));
}

TEST(RatioOverLegsTest, RefusesLogsThatAreNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    const std::vector<std::vector<double>> legs{{0.1}, {bad}};
    EXPECT_THROW(ratio_over_legs(legs), std::invalid_argument);
  }
}

TEST(LatencyOverLegsTest, IsTheRatioToOneSecond) {
  const std::vector<std::vector<double>> seconds{{1e-3, 2e-3, 9e-3}, {4e-3}, {1e-3}};
  const Interval latency = latency_over_legs(seconds).value();
  EXPECT_NEAR(latency.value, 2e-3, 1e-15);
  EXPECT_LT(latency.low, latency.value);
  EXPECT_GT(latency.high, latency.value);
  EXPECT_THROW(latency_over_legs(std::vector<std::vector<double>>{{0.0}, {1.0}}),
               std::invalid_argument);
}

TEST(GeometricMeanTest, OfOneIntervalIsThatInterval) {
  const Interval one{2.0, 1.6, 2.5, 4};
  const Interval mean = geometric_mean(std::vector<Interval>{one}).value();
  EXPECT_NEAR(mean.value, one.value, 1e-12);
  EXPECT_NEAR(mean.low, one.low, 1e-9);
  EXPECT_NEAR(mean.high, one.high, 1e-9);
  EXPECT_EQ(mean.count, 1);
}

TEST(GeometricMeanTest, OfEqualIntervalsIsNarrower) {
  const Interval one{2.0, 1.6, 2.5, 4};
  const Interval mean = geometric_mean(std::vector<Interval>(4, one)).value();
  EXPECT_NEAR(mean.value, 2.0, 1e-12);
  // Standard error halved, and t(12) = 2.178813 in the place of t(3) = 3.182446.
  EXPECT_NEAR(std::log(mean.high / mean.low), std::log(2.5 / 1.6) / 2 * 2.178813 / 3.182446, 1e-6);
}

TEST(GeometricMeanTest, ExactFactorsCountAsExact) {
  const std::vector<Interval> exact{{2, 2, 2, 1}, {8, 8, 8, 1}};
  const Interval mean = geometric_mean(exact).value();
  EXPECT_DOUBLE_EQ(mean.value, 4);
  EXPECT_EQ(mean.low, mean.high);
  EXPECT_FALSE(geometric_mean(std::span<const Interval>{}));
}

TEST(GeometricMeanTest, RefusesWhatIsNoInterval) {
  for (const Interval& bad : {Interval{1, 0, 2, 4}, Interval{1, 0.5, 2, 1}, Interval{3, 1, 2, 4},
                              Interval{1, 0.5, std::numeric_limits<double>::infinity(), 4},
                              Interval{std::nan(""), 1, 2, 4}}) {
    EXPECT_THROW(geometric_mean(std::vector<Interval>{bad}), std::invalid_argument);
  }
}

TEST(ProportionTest, IsWilsonsInterval) {
  // Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
  const Interval some = proportion(81, 263).value();
  EXPECT_NEAR(some.low, 0.2553, 5e-5);
  EXPECT_NEAR(some.high, 0.3662, 5e-5);
  const Interval none = proportion(0, 20).value();
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.1611, 5e-5);
  const Interval all = proportion(20, 20).value();
  EXPECT_EQ(all.high, 1);
  EXPECT_NEAR(all.low, 1 - 0.1611, 5e-5);
  EXPECT_FALSE(proportion(0, 0));
  EXPECT_THROW(proportion(3, 2), std::invalid_argument);
}

TEST(PairedTest, LossIsPositiveWhenTheCandidateIsWorse) {
  const Interval loss =
      paired_loss({.both_right = 880, .lost = 20, .won = 8, .both_wrong = 92}).value();
  EXPECT_DOUBLE_EQ(loss.value, 0.012);
  // By hand: (20.5 - 8.5) / 1002 -+ 1.959964 * sqrt(29 - 144 / 1002) / 1002.
  EXPECT_NEAR(loss.low, 0.011976 - 0.010508, 2e-6);
  EXPECT_NEAR(loss.high, 0.011976 + 0.010508, 2e-6);
  EXPECT_EQ(loss.count, 1000);
}

TEST(PairedTest, RatioAndErrorGrowthAreOfTheRightMargins) {
  const PairedCounts counts{.both_right = 880, .lost = 20, .won = 8, .both_wrong = 92};
  EXPECT_DOUBLE_EQ(paired_ratio(counts)->value, 888.0 / 900.0);
  EXPECT_DOUBLE_EQ(paired_error_growth(counts)->value, 112.0 / 100.0);
  // By hand: log(113 / 101) -+ 1.959964 * sqrt(29 / (113 * 101)).
  EXPECT_NEAR(std::log(paired_error_growth(counts)->high), 0.112266 + 0.098798, 2e-5);
  EXPECT_NEAR(std::log(paired_error_growth(counts)->low), 0.112266 - 0.098798, 2e-5);
}

TEST(PairedTest, NoFlipsStillLeaveAnInterval) {
  const PairedCounts counts{.both_right = 90, .both_wrong = 10};
  const Interval loss = paired_loss(counts).value();
  EXPECT_EQ(loss.value, 0);
  EXPECT_LT(loss.low, 0);
  EXPECT_GT(loss.high, 0);
  EXPECT_LT(paired_error_growth(counts)->low, 1);
  EXPECT_GT(paired_error_growth(counts)->high, 1);
}

TEST(McNemarTest, IsTheExactTwoSidedBinomialTest) {
  EXPECT_DOUBLE_EQ(mcnemar_p({.both_right = 90, .both_wrong = 10}), 1) << "without flips";
  EXPECT_DOUBLE_EQ(mcnemar_p({.lost = 5, .won = 5}), 1);
  EXPECT_NEAR(mcnemar_p({.lost = 6, .won = 0}), 2.0 / 64, 1e-15);
  EXPECT_NEAR(mcnemar_p({.lost = 0, .won = 6}), 2.0 / 64, 1e-15);
  EXPECT_NEAR(mcnemar_p({.lost = 9, .won = 1}), 2.0 * (1 + 10) / 1024, 1e-15);
}

TEST(PairedTest, ExtremesStayOrderedAndFinite) {
  for (const PairedCounts& counts :
       {PairedCounts{10, 0, 0, 0}, PairedCounts{0, 10, 0, 0}, PairedCounts{0, 0, 10, 0},
        PairedCounts{0, 1, 0, 0}, PairedCounts{1, 500, 0, 1}}) {
    for (const std::optional<Interval>& interval :
         {paired_loss(counts), paired_ratio(counts), paired_error_growth(counts)}) {
      if (!interval) continue;
      EXPECT_LE(interval->low, interval->value);
      EXPECT_LE(interval->value, interval->high);
      EXPECT_TRUE(std::isfinite(interval->low) && std::isfinite(interval->high));
    }
  }
  EXPECT_FALSE(paired_ratio({.won = 3, .both_wrong = 4})) << "nothing to divide by";
  EXPECT_FALSE(paired_error_growth({.both_right = 4, .lost = 3}));
  EXPECT_FALSE(paired_loss({}));
}

TEST(MeanIntervalTest, IsStudentsInterval) {
  // Mean 2, standard error 1 / sqrt(3), t(2 degrees of freedom, 97.5 %) = 4.302653.
  const Interval interval = mean_interval(std::vector<double>{1, 2, 3}).value();
  EXPECT_DOUBLE_EQ(interval.value, 2);
  EXPECT_NEAR(interval.low, 2 - 4.302653 / std::sqrt(3.0), 1e-6);
  EXPECT_NEAR(interval.high, 2 + 4.302653 / std::sqrt(3.0), 1e-6);
  EXPECT_EQ(interval.count, 3);
}

TEST(MeanIntervalTest, NeedsTwoFiniteValues) {
  EXPECT_FALSE(mean_interval(std::vector<double>{1}));
  EXPECT_FALSE(mean_interval({}));
  EXPECT_THROW(mean_interval(std::vector<double>{1, NAN}), std::invalid_argument);
  EXPECT_THROW(mean_interval(std::vector<double>{1, INFINITY}), std::invalid_argument);
}

TEST(BootstrapTest, FollowsFromItsName) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 20};
  const Interval one = bootstrap_mean(values, "a").value();
  const Interval again = bootstrap_mean(values, "a").value();
  const Interval other = bootstrap_mean(values, "b").value();
  EXPECT_EQ(one.low, again.low);
  EXPECT_EQ(one.high, again.high);
  EXPECT_NE(one.low, other.low);
  EXPECT_DOUBLE_EQ(one.value, 6);
  EXPECT_EQ(one.count, 8);
  EXPECT_LT(one.low, 6);
  EXPECT_GT(one.high, 6);
}

TEST(BootstrapTest, NeedsTwoSamples) {
  EXPECT_FALSE(bootstrap_mean({}, "none"));
  EXPECT_FALSE(bootstrap_mean(std::vector<double>{1}, "one"));
  const Interval constant = bootstrap_mean(std::vector<double>(5, 2.5), "constant").value();
  EXPECT_EQ(constant.low, 2.5);
  EXPECT_EQ(constant.high, 2.5);
}

}  // namespace
}  // namespace qassay
