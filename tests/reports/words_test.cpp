#include "reports/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace qassay {
namespace {

using ::testing::HasSubstr;

VerdictRow row(const char* verdict, double low, double high, const char* better) {
  VerdictRow result;
  result.verdict = verdict;
  result.kind = "measured";
  result.estimate = (low + high) / 2;
  result.low = low;
  result.high = high;
  result.claimed_low = 2;
  result.claimed_high = 4;
  result.cells = 6;
  result.unit = "ratio";
  result.better = better;
  return result;
}

TEST(VerdictWordsTest, SayOnWhichSideOfTheClaimTheIntervalLies) {
  EXPECT_THAT(verdict_words(row("refuted", 1, 1.5, "higher"), false),
              HasSubstr("worse than claimed: below 2×"));
  EXPECT_THAT(verdict_words(row("refuted", 5, 6, "lower"), false),
              HasSubstr("worse than claimed: above 4×"));
  EXPECT_THAT(verdict_words(row("better_than_claimed", 5, 6, "higher"), false),
              HasSubstr("better than claimed: above 4×"));
  EXPECT_THAT(verdict_words(row("better_than_claimed", 0.5, 1, "lower"), false),
              HasSubstr("better than claimed: below 2×"));
}

TEST(VerdictWordsTest, NameTheEndThatAnUndecidedIntervalCovers) {
  EXPECT_THAT(verdict_words(row("inconclusive", 1.8, 2.2, "higher"), false), HasSubstr("2×"));
  EXPECT_THAT(verdict_words(row("inconclusive", 3.8, 4.2, "lower"), false), HasSubstr("4×"));
  EXPECT_THAT(verdict_words(row("inconclusive", 1.8, 2.2, "higher"), true), HasSubstr("quick run"));
}

TEST(VerdictWordsTest, TellInsideFromReachingBeyondTheGoodEnd) {
  EXPECT_THAT(verdict_words(row("confirmed", 2.5, 3.5, "higher"), false), HasSubstr("lies inside"));
  EXPECT_THAT(verdict_words(row("confirmed", 3.5, 4.5, "higher"), false),
              HasSubstr("beyond its good end"));
  EXPECT_THAT(verdict_words(row("confirmed", 1.5, 2.5, "lower"), false),
              HasSubstr("beyond its good end"));
}

TEST(VerdictWordsTest, ExplainReasonCodesAndKeepUnknownOnes) {
  VerdictRow untestable = row("not_testable", 0, 0, "higher");
  untestable.cells = 0;
  untestable.reason = "needs_gpu";
  EXPECT_EQ(verdict_words(untestable, false), "It needs a GPU, and none is here.");
  untestable.reason = "moon_phase";
  EXPECT_EQ(verdict_words(untestable, false), "moon_phase");
  EXPECT_FALSE(has_figure(untestable));
}

TEST(EvidenceWordsTest, NeverCallAComputedFigureMeasured) {
  EXPECT_EQ(evidence_words("measured"), "measured here");
  EXPECT_EQ(evidence_words("derived"), "derived, not measured");
  EXPECT_EQ(evidence_words("predicted"), "predicted, not measured");
}

TEST(NetworkWordsTest, SayHowManySamplesAtOnce) {
  Record about;
  about.m = 1;
  about.threads = 2;
  EXPECT_EQ(network_words(about), "one sample at a time, 2 threads");
  about.kv_cache = "INT8";
  EXPECT_EQ(network_words(about), "decode, a token at a time, 2 threads");
  about.m = 256;
  EXPECT_EQ(network_words(about), "prefill, 256 tokens at once, 2 threads");
  about.kv_cache = "";
  about.threads = 1;
  EXPECT_EQ(network_words(about), "256 samples at once, 1 thread");
}

TEST(ChanceWordsTest, CallADifferenceRealBelowFivePercent) {
  EXPECT_EQ(chance_words(0.62), "no more than chance (p\u00A0=\u00A00.62)");
  EXPECT_EQ(chance_words(0.05), "no more than chance (p\u00A0=\u00A00.05)");
  EXPECT_EQ(chance_words(0.049), "real (p\u00A0=\u00A00.049)");
  EXPECT_EQ(chance_words(1e-9), "real (p\u00A0<\u00A00.001)");
}

TEST(RegimeWordsTest, NameTheTwoThatClaimsSpeakOf) {
  EXPECT_EQ(regime_words(1, "cold", 2), "decode: M = 1, cold weights, 2 threads");
  EXPECT_EQ(regime_words(128, "hot", 1), "batch: M = 128, hot weights, 1 thread");
  EXPECT_EQ(regime_words(8, "cold", 2), "M = 8, cold weights, 2 threads");
}

}  // namespace
}  // namespace qassay
