#include "harness/run/figures.hpp"

#include <gmock/gmock.h>

#include <optional>
#include <string>

namespace qassay {
namespace {

CaseRow case_row(const std::string& scheme, const std::string& backend,
                 const std::string& layer = "l") {
  CaseRow row;
  row.key = scheme + backend + layer;
  row.layer = layer;
  row.scheme = scheme;
  row.backend = backend;
  row.status = "planned";
  return row;
}

LegCaseRow measured(const CaseRow& row, const std::vector<double>& seconds) {
  LegCaseRow found;
  found.case_key = row.key;
  found.arm = row.arm;
  found.status = "passed";
  found.packed_bytes = 100;
  found.workspace_bytes = 10;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    found.rounds.push_back({static_cast<int>(i), 0, seconds[i], seconds[i], 1, 1});
  }
  return found;
}

std::optional<MetricRow> find(const std::vector<MetricRow>& rows, const CaseRow& row,
                              const std::string& metric, const std::string& baseline = "") {
  for (const MetricRow& found : rows) {
    if (found.case_key == row.key && found.arm == row.arm && found.metric == metric &&
        found.baseline == baseline) {
      return found;
    }
  }
  return std::nullopt;
}

class TimingFiguresTest : public ::testing::Test {
 protected:
  TimingFiguresTest() {
    second_.arm = "b";
    // The machine's speed doubles from leg to leg and drifts within; the ratios stay.
    for (int leg = 0; leg < 4; ++leg) {
      const double level = 1 << leg;
      LegRow row;
      row.leg = leg;
      row.peak_rss_bytes = 1000 + leg;
      row.cases = {
          measured(slow_, {8 * level, 9 * level}), measured(fast_, {4 * level, 4.5 * level}),
          measured(int8_, {2 * level, 2.25 * level}), measured(second_, {2 * level, 2.25 * level})};
      legs_.push_back(row);
    }
  }

  std::vector<MetricRow> figures() const { return timing_figures(cases(), legs_); }
  std::vector<CaseRow> cases() const { return {slow_, fast_, int8_, second_}; }

  CaseRow slow_ = case_row("FP32", "x");
  CaseRow fast_ = case_row("FP32", "y");
  CaseRow int8_ = case_row("W8A8", "x");
  CaseRow second_ = case_row("W8A8", "x");
  std::vector<LegRow> legs_;
};

TEST_F(TimingFiguresTest, SpeedupsArePairedByRoundAgainstEachBaseline) {
  const auto best = find(figures(), int8_, "speedup", "best-fp32");
  ASSERT_TRUE(best);
  EXPECT_NEAR(best->value, 2, 1e-12);
  EXPECT_NEAR(best->low, 2, 1e-12);  // no noise but the machine's, which pairs cancel
  EXPECT_EQ(best->count, 4);
  const auto own = find(figures(), int8_, "speedup", "own-fp32");
  ASSERT_TRUE(own);
  EXPECT_NEAR(own->value, 4, 1e-12);
}

TEST_F(TimingFiguresTest, TheBestBaselineHasNoSpeedupOverItself) {
  EXPECT_FALSE(find(figures(), fast_, "speedup", "best-fp32"));
  EXPECT_TRUE(find(figures(), slow_, "speedup", "best-fp32"));
}

TEST_F(TimingFiguresTest, TheSecondArmIsComparedWithTheFirstOnly) {
  const auto ratio = find(figures(), second_, "speedup", "arm-a");
  ASSERT_TRUE(ratio);
  EXPECT_NEAR(ratio->value, 1, 1e-12);
  EXPECT_FALSE(find(figures(), second_, "speedup", "best-fp32"));
}

TEST_F(TimingFiguresTest, OurKernelsAreComparedWithTheFastestLibraryOnTheSameWeights) {
  const CaseRow ours = case_row("W4A8-g32", "cpu");
  const CaseRow blocked = case_row("W4A8-g32-blocked", "fast-library");
  const CaseRow slower = case_row("W4A8-g32-blocked", "slow-library");
  const CaseRow other_weights = case_row("W4A8-g128-blocked", "fast-library");
  const CaseRow wide_activations = case_row("W4A16-g32", "fast-library");
  const std::vector<CaseRow> cases = {ours, blocked, slower, other_weights, wide_activations};
  for (LegRow& leg : legs_) {
    leg.cases = {measured(ours, {1, 1}), measured(blocked, {3, 3}), measured(slower, {5, 5}),
                 measured(other_weights, {2, 2}), measured(wide_activations, {2, 2})};
  }
  const auto rows = timing_figures(cases, legs_);
  const auto over_peers = find(rows, ours, "speedup", "best-peer");
  ASSERT_TRUE(over_peers);
  EXPECT_NEAR(over_peers->value, 3, 1e-12);
  EXPECT_FALSE(find(rows, slower, "speedup", "best-peer"));
}

TEST_F(TimingFiguresTest, MemoryHasThreeNumbers) {
  const auto rows = figures();
  EXPECT_EQ(find(rows, int8_, "weight_bytes")->value, 100);
  EXPECT_EQ(find(rows, int8_, "workspace_bytes")->value, 10);
  EXPECT_EQ(find(rows, int8_, "peak_rss_bytes")->value, 1003);
}

TEST_F(TimingFiguresTest, ACaseThatFailedHasNoFigures) {
  for (LegRow& leg : legs_) {
    leg.cases[2].status = "failed";
    leg.cases[2].rounds.clear();
    leg.cases[2].packed_bytes = 0;
  }
  const auto rows = figures();
  EXPECT_FALSE(find(rows, int8_, "latency"));
  EXPECT_FALSE(find(rows, int8_, "speedup", "best-fp32"));
  EXPECT_FALSE(find(rows, int8_, "weight_bytes"));
}

TEST_F(TimingFiguresTest, RoundsWithoutAPartnerTakeNoPart) {
  legs_[0].cases[2].rounds.pop_back();
  legs_[1].cases[1].rounds.clear();
  const auto best = find(figures(), int8_, "speedup", "best-fp32");
  ASSERT_TRUE(best);
  EXPECT_NEAR(best->value, 2, 1e-12);
  EXPECT_EQ(best->count, 3);
}

TEST_F(TimingFiguresTest, ALayerHasItsRates) {
  for (LegRow& leg : legs_) {
    leg.cases[2] = measured(int8_, {2, 2});
    if (leg.leg == 0)
      leg.metrics = {{int8_.key, "a", "operations", 600, 600, 600, 1, "op", "none", ""}};
  }
  const auto rows = figures();
  const auto bandwidth = find(rows, int8_, "bandwidth");
  ASSERT_TRUE(bandwidth);
  EXPECT_NEAR(bandwidth->value, 50, 1e-9) << "100 bytes in 2 s";
  EXPECT_EQ(bandwidth->unit, "B/s");
  EXPECT_EQ(bandwidth->count, 4);
  const auto operation_rate = find(rows, int8_, "operation_rate");
  ASSERT_TRUE(operation_rate);
  EXPECT_NEAR(operation_rate->value, 300, 1e-9);
  EXPECT_EQ(operation_rate->unit, "op/s");
  EXPECT_FALSE(find(rows, fast_, "operation_rate")) << "of which nothing is known";
}

TEST_F(TimingFiguresTest, AFractionOfACeilingIsTheMeanOfTheLegs) {
  const double fractions[] = {0.4, 0.4, 0.9, 0.9};
  for (LegRow& leg : legs_) {
    const double value = fractions[leg.leg];
    leg.metrics = {{int8_.key, "a", "ceiling_fraction", value, value, value, 1, "fraction",
                    "higher", "int8-peak"}};
  }
  const auto fraction = find(figures(), int8_, "ceiling_fraction", "int8-peak");
  ASSERT_TRUE(fraction);
  EXPECT_NEAR(fraction->value, 0.6, 1e-12) << "geometric";
  EXPECT_LT(fraction->low, 0.6);
  EXPECT_GT(fraction->high, 0.6);
  EXPECT_EQ(fraction->count, 4);
  EXPECT_FALSE(find(figures(), second_, "ceiling_fraction", "int8-peak")) << "of the other arm";
}

TEST_F(TimingFiguresTest, AWholeModelHasAThroughput) {
  EXPECT_FALSE(find(figures(), int8_, "throughput")) << "of a layer";
  CaseRow whole = int8_;
  whole.layer.clear();
  whole.m = 64;
  const auto rows = timing_figures(std::vector{whole}, legs_);
  const auto latency = find(rows, whole, "latency");
  const auto throughput = find(rows, whole, "throughput");
  ASSERT_TRUE(latency && throughput);
  EXPECT_DOUBLE_EQ(throughput->value, 64 / latency->value);
  EXPECT_DOUBLE_EQ(throughput->low, 64 / latency->high);
  EXPECT_DOUBLE_EQ(throughput->high, 64 / latency->low);
}

TEST(AccuracyFiguresTest, LossIsPairedWithTheFirstBaseline) {
  const CaseRow fp32 = case_row("FP32", "x", "");
  const CaseRow int4 = case_row("W4A16", "x", "");
  const std::vector<std::uint8_t> labels{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  SampleScoresRow base{fp32.key, "a", "d", "h", {0, 1, 2, 3, 4, 5, 6, 7, 0, 0}};  // 8 right
  SampleScoresRow candidate{
      int4.key, "a", "d", "h", {0, 1, 2, 3, 4, 5, 0, 0, 8, 1}};  // 7 right: lost 2, won 1
  const auto rows = accuracy_figures(std::vector{fp32, int4}, std::vector{base, candidate}, labels);
  EXPECT_DOUBLE_EQ(find(rows, fp32, "top1")->value, 0.8);
  EXPECT_DOUBLE_EQ(find(rows, int4, "top1")->value, 0.7);
  EXPECT_FALSE(find(rows, fp32, "loss", "fp32"));
  const auto loss = find(rows, int4, "loss", "fp32");
  ASSERT_TRUE(loss);
  EXPECT_NEAR(loss->value, 12.5, 1e-9);
  EXPECT_LT(loss->low, loss->value);
  EXPECT_GT(loss->high, loss->value);
  EXPECT_NEAR(find(rows, int4, "loss_points", "fp32")->value, 10, 1e-9);
  EXPECT_NEAR(find(rows, int4, "loss_error_growth", "fp32")->value, 1.5, 1e-9);
  EXPECT_EQ(find(rows, int4, "flips_lost", "fp32")->value, 2);
  EXPECT_EQ(find(rows, int4, "flips_won", "fp32")->value, 1);
  EXPECT_DOUBLE_EQ(find(rows, int4, "agreement", "fp32")->value, 0.6);
  // 2 against 1 of three flips: 2 (C(3,0) + C(3,1)) / 8, and no probability is above 1.
  EXPECT_DOUBLE_EQ(find(rows, int4, "mcnemar_p", "fp32")->value, 1);
}

}  // namespace
}  // namespace qassay
