#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "datasets/language_scoring.hpp"

namespace qassay {
namespace {

WindowScore window(std::int64_t tokens, double baseline_nll, double candidate_nll, double kl,
                   PairedCounts outcomes) {
  WindowScore score;
  score.tokens = tokens;
  score.baseline_nll = baseline_nll;
  score.candidate_nll = candidate_nll;
  score.kl = kl;
  score.agreeing = outcomes.both_right;
  score.outcomes = outcomes;
  return score;
}

/// Three windows of ten tokens, each of whose divergences is given.
LanguageScores three_windows() {
  LanguageScores scores;
  scores.windows = {window(10, 20, 21, 0.1, {4, 1, 0, 5}), window(10, 22, 22, 0.2, {5, 0, 1, 4}),
                    window(10, 18, 20, 0.6, {3, 2, 0, 5})};
  for (int i = 0; i < 30; ++i) scores.kl.push_back(static_cast<float>(i));
  return scores;
}

TEST(LanguageSummaryTest, OfThreeWindowsByHand) {
  const LanguageSummary summary = summarize(three_windows(), 120);
  EXPECT_EQ(summary.tokens, 30);
  EXPECT_EQ(summary.unusable, 0);
  EXPECT_DOUBLE_EQ(summary.baseline.perplexity, std::exp(2));
  EXPECT_DOUBLE_EQ(summary.candidate.perplexity, std::exp(2.1));
  EXPECT_DOUBLE_EQ(summary.baseline.bits_per_byte, 60 / std::log(2) / 120);
  EXPECT_DOUBLE_EQ(summary.candidate.bits_per_byte, 63 / std::log(2) / 120);
  EXPECT_DOUBLE_EQ(summary.baseline.next_token_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(summary.candidate.next_token_accuracy, 13.0 / 30);
  EXPECT_DOUBLE_EQ(summary.top1_agreement, 0.4);
  EXPECT_DOUBLE_EQ(summary.kl_mean, 0.03);
  EXPECT_DOUBLE_EQ(summary.kl_median, 14.5);
  EXPECT_NEAR(summary.kl_p999, 28.971, 1e-12);  // type 7: at 0.999 * 29
}

TEST(LanguageSummaryTest, IntervalsArePairedOverWindows) {
  const LanguageSummary summary = summarize(three_windows(), 120);
  const auto expect = [](const std::optional<Interval>& found, std::vector<double> means) {
    const Interval wanted = mean_interval(means).value();
    ASSERT_TRUE(found);
    EXPECT_NEAR(found->value, wanted.value, 1e-15);
    EXPECT_NEAR(found->low, wanted.low, 1e-15);
    EXPECT_NEAR(found->high, wanted.high, 1e-15);
    EXPECT_EQ(found->count, 3);
  };
  expect(summary.log_perplexity_ratio, {0.1, 0, 0.2});
  expect(summary.kl, {0.01, 0.02, 0.06});
  expect(summary.accuracy_loss, {0.1, -0.1, 0.2});
}

TEST(LanguageSummaryTest, AWindowWeighsAsMuchAsItsTokens) {
  LanguageScores scores = three_windows();
  scores.windows.push_back(window(1, 2, 7, 3.1, {1, 0, 0, 0}));
  const LanguageSummary summary = summarize(scores, 120);
  EXPECT_NEAR(summary.log_perplexity_ratio->value, 8.0 / 31, 1e-15);
  EXPECT_NEAR(summary.log_perplexity_ratio->value,
              std::log(summary.candidate.perplexity / summary.baseline.perplexity), 1e-15);
  EXPECT_NEAR(summary.kl->value, summary.kl_mean, 1e-15);
  EXPECT_NEAR(summary.accuracy_loss->value,
              summary.baseline.next_token_accuracy - summary.candidate.next_token_accuracy, 1e-15);
}

TEST(LanguageSummaryTest, OfTheBaselineItselfIsExact) {
  LanguageScores scores = three_windows();
  for (WindowScore& score : scores.windows) {
    score = window(10, 20, 20, 0, {5, 0, 0, 5});
    score.agreeing = 10;
  }
  const LanguageSummary summary = summarize(scores, 120);
  for (const auto& interval : {summary.log_perplexity_ratio, summary.kl, summary.accuracy_loss}) {
    EXPECT_EQ(interval->low, 0);
    EXPECT_EQ(interval->high, 0);
  }
  EXPECT_EQ(summary.top1_agreement, 1);
}

TEST(LanguageSummaryTest, OneWindowLeavesNoInterval) {
  LanguageScores scores;
  scores.windows = {window(10, 20, 21, 0.1, {4, 1, 0, 5})};
  scores.kl.assign(10, 0.01F);
  const LanguageSummary summary = summarize(scores, 40);
  EXPECT_FALSE(summary.log_perplexity_ratio);
  EXPECT_FALSE(summary.kl);
  EXPECT_FALSE(summary.accuracy_loss);
}

TEST(LanguageSummaryTest, AnUnusableTokenSpoilsWhatItIsPartOf) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  LanguageScores scores = three_windows();
  scores.windows[1].candidate_nll = scores.windows[1].kl = kNone;
  scores.windows[1].unusable = 1;
  scores.kl[11] = std::numeric_limits<float>::quiet_NaN();
  const LanguageSummary summary = summarize(scores, 120);
  EXPECT_EQ(summary.unusable, 1);
  EXPECT_DOUBLE_EQ(summary.baseline.perplexity, std::exp(2));
  for (const double figure : {summary.candidate.perplexity, summary.candidate.bits_per_byte,
                              summary.kl_mean, summary.kl_median, summary.kl_p999}) {
    EXPECT_TRUE(std::isnan(figure));
  }
  EXPECT_FALSE(summary.log_perplexity_ratio);
  EXPECT_FALSE(summary.kl);
  EXPECT_TRUE(summary.accuracy_loss) << "counts it as wrong";
}

TEST(LanguageSummaryTest, AnExcludedTargetCostsInfinity) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  LanguageScores scores = three_windows();
  scores.windows[2].candidate_nll = scores.windows[2].kl = kInfinite;
  const LanguageSummary summary = summarize(scores, 120);
  EXPECT_EQ(summary.candidate.perplexity, kInfinite);
  EXPECT_EQ(summary.kl_mean, kInfinite);
  EXPECT_FALSE(summary.log_perplexity_ratio);
}

TEST(LanguageSummaryTest, OfEvenlyLikelyTokensHasThePerplexityOfTheVocabulary) {
  const std::vector<float> logits(4 * 256);
  LanguageScores scores;
  const std::vector<std::int32_t> targets{0, 9, 99, 255};
  score_window(ConstMatrix(logits.data(), 4, 256), ConstMatrix(logits.data(), 4, 256), targets,
               scores);
  const LanguageSummary summary = summarize(scores, 4);
  EXPECT_NEAR(summary.candidate.perplexity, 256, 1e-11);
  EXPECT_NEAR(summary.candidate.bits_per_byte, 8, 1e-14);
  EXPECT_DOUBLE_EQ(summary.candidate.next_token_accuracy, 0.25);
}

TEST(LanguageSummaryTest, RefusesNothing) {
  EXPECT_THROW(summarize({}, 1), std::invalid_argument);
  EXPECT_THROW(summarize(three_windows(), 0), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
