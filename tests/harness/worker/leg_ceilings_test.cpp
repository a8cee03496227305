#include "harness/worker/leg_ceilings.hpp"

#include <gmock/gmock.h>

namespace qassay {
namespace {

using ::testing::HasSubstr;

constexpr Ceilings kCeilings = {
    .read_bytes_per_second = 20e9, .f32_flops = 100e9, .int8_ops = 400e9, .bf16_flops = 200e9};

Traffic traffic(Traffic::Unit unit) {
  return {.weight_bytes = 4e6, .activation_bytes = 1e6, .operations = 80e6, .unit = unit};
}

std::vector<RoundRow> rounds(const std::vector<double>& seconds) {
  std::vector<RoundRow> rows;
  for (const double each : seconds) rows.emplace_back().seconds = each;
  return rows;
}

TEST(ReachTest, IsThatOfTheMedianRound) {
  const auto reach =
      reach_of(traffic(Traffic::Unit::f32), rounds({0.001, 0.002, 0.009}), Cache::hot, kCeilings);
  ASSERT_TRUE(reach);
  EXPECT_NEAR(reach->rate, 40e9, 1);
  EXPECT_NEAR(reach->fraction(), 0.4, 1e-12);
}

TEST(ReachTest, TakesTheMedianOfRoundsAsLatenciesDo) {
  const auto reach =
      reach_of(traffic(Traffic::Unit::f32), rounds({0.001, 0.004}), Cache::hot, kCeilings);
  ASSERT_TRUE(reach);
  EXPECT_NEAR(reach->rate, 40e9, 1) << "between them on the log scale";
}

TEST(ReachTest, OfColdCasesIsOfTheReadRateWhateverTheyComputeWith) {
  for (const Traffic::Unit unit : {Traffic::Unit::f32, Traffic::Unit::int8}) {
    const auto reach = reach_of(traffic(unit), rounds({0.0004}), Cache::cold, kCeilings);
    ASSERT_TRUE(reach);
    EXPECT_NEAR(reach->fraction(), 0.5, 1e-12);
    EXPECT_STREQ(reach->bound, "read-rate");
  }
}

TEST(ReachTest, OfHotCasesIsOfThePeakOfTheirArithmetic) {
  const auto of = [](Traffic::Unit unit) {
    return reach_of(traffic(unit), rounds({0.001}), Cache::hot, kCeilings).value();
  };
  EXPECT_STREQ(of(Traffic::Unit::f32).bound, "f32-peak");
  EXPECT_NEAR(of(Traffic::Unit::f32).fraction(), 0.8, 1e-12);
  EXPECT_STREQ(of(Traffic::Unit::bf16).bound, "bf16-peak");
  EXPECT_NEAR(of(Traffic::Unit::bf16).fraction(), 0.4, 1e-12);
  EXPECT_STREQ(of(Traffic::Unit::int16).bound, "int16-peak");
  EXPECT_NEAR(of(Traffic::Unit::int16).fraction(), 0.4, 1e-12);
  EXPECT_STREQ(of(Traffic::Unit::int8).bound, "int8-peak");
  EXPECT_NEAR(of(Traffic::Unit::int8).fraction(), 0.2, 1e-12);
}

TEST(ReachTest, IsUnknownWithoutRoundsOrAProbe) {
  EXPECT_FALSE(reach_of(traffic(Traffic::Unit::f32), {}, Cache::hot, kCeilings));
  EXPECT_FALSE(reach_of(traffic(Traffic::Unit::f32), rounds({0.001}), Cache::hot, {}));
}

TEST(ReachTest, ExceedsTheMachineOnlyBeyondWhatTheProbeMayMiss) {
  const auto at = [](double seconds) {
    return reach_of(traffic(Traffic::Unit::f32), rounds({seconds}), Cache::hot, kCeilings)
        .value()
        .excess();
  };
  EXPECT_FALSE(at(0.0008 / 1.14));
  const auto excess = at(0.0008 / 1.2);
  ASSERT_TRUE(excess);
  EXPECT_THAT(*excess, HasSubstr("120.0 billion operations a second"));
  EXPECT_THAT(*excess, HasSubstr("reach 100.0"));
}

}  // namespace
}  // namespace qassay
