#include "datasets/language_scoring.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/seed.hpp"

namespace qassay {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();
using Logits = std::vector<float>;
using Targets = std::vector<std::int32_t>;

/// One window of targets.size() rows.
WindowScore score(const Logits& baseline, const Logits& candidate, const Targets& targets) {
  const auto rows = static_cast<std::int64_t>(targets.size());
  const auto cols = static_cast<std::int64_t>(baseline.size()) / rows;
  LanguageScores scores;
  score_window(ConstMatrix(baseline.data(), rows, cols), ConstMatrix(candidate.data(), rows, cols),
               targets, scores);
  EXPECT_EQ(scores.kl.size(), targets.size());
  return scores.windows.at(0);
}

Logits random_logits(std::size_t count, const std::string& seed, float deviation) {
  Logits logits(count);
  fill_normal(logits, seed_from_name(seed), deviation);
  return logits;
}

/// The definition, in extended precision.
struct Reference {
  std::vector<long double> p, q;  // logs

  Reference(const Logits& baseline, const Logits& candidate)
      : p(log_softmax(baseline)), q(log_softmax(candidate)) {}

  static std::vector<long double> log_softmax(const Logits& logits) {
    const long double largest = *std::max_element(logits.begin(), logits.end());
    long double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - largest);
    std::vector<long double> logs;
    for (const float logit : logits) logs.push_back(logit - largest - std::log(sum));
    return logs;
  }

  double kl() const {
    long double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += std::exp(p[i]) * (p[i] - q[i]);
    return static_cast<double>(sum);
  }
};

TEST(LanguageScoringTest, OfTwoTokensByHand) {
  // p = (1/2, 1/2) and q = (1/4, 3/4): KL = ln(4/3) / 2.
  const WindowScore window = score({0, 0}, {0, std::log(3.0F)}, {0});
  EXPECT_NEAR(window.baseline_nll, std::log(2.0), 1e-15);
  EXPECT_NEAR(window.candidate_nll, std::log(4.0), 1e-7);
  EXPECT_NEAR(window.kl, std::log(4.0 / 3.0) / 2, 1e-7);
  EXPECT_EQ(window.tokens, 1);
  EXPECT_EQ(window.unusable, 0);
  EXPECT_EQ(window.agreeing, 0) << "of equals the lowest index is the most likely";
  EXPECT_EQ(window.outcomes.lost, 1);
}

TEST(LanguageScoringTest, IsTheDefinitionForEveryWidth) {
  for (const std::size_t width : {1U, 2U, 3U, 5U, 16U, 17U, 255U, 256U, 1003U, 32'000U}) {
    const Logits baseline = random_logits(width, "baseline", 4);
    const Logits candidate = random_logits(width, "candidate", 4);
    const auto target = static_cast<std::int32_t>(width / 2);
    const Reference reference(baseline, candidate);
    const WindowScore window = score(baseline, candidate, {target});
    EXPECT_NEAR(window.kl, reference.kl(), 1e-13 * (1 + reference.kl())) << width;
    EXPECT_NEAR(window.baseline_nll, static_cast<double>(-reference.p[width / 2]), 1e-13);
    EXPECT_NEAR(window.candidate_nll, static_cast<double>(-reference.q[width / 2]), 1e-13);
  }
}

TEST(LanguageScoringTest, SmallDivergencesKeepTheirDigits) {
  for (const float noise : {1e-2F, 1e-3F, 1e-4F, 1e-5F}) {
    for (const std::string seed : {"a", "b", "c"}) {
      const Logits baseline = random_logits(2048, seed, 3);
      Logits candidate = random_logits(2048, seed + " noise", noise);
      for (std::size_t i = 0; i < candidate.size(); ++i) candidate[i] += baseline[i];
      const double exact = Reference(baseline, candidate).kl();
      // Rounding of sums near 1 and of logs below 10, some 1e-15 each: 1e-14 in all.
      EXPECT_NEAR(score(baseline, candidate, {0}).kl, exact, 1e-14) << noise;
      EXPECT_GE(score(baseline, candidate, {0}).kl, -1e-12);
    }
  }
}

TEST(LanguageScoringTest, EqualLogitsDoNotDivergeAtAll) {
  const Logits logits = random_logits(300 * 20, "a", 5);
  Targets targets(20);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = static_cast<std::int32_t>(i);
  const WindowScore window = score(logits, logits, targets);
  EXPECT_EQ(window.kl, 0);
  EXPECT_EQ(window.baseline_nll, window.candidate_nll);
  EXPECT_EQ(window.agreeing, 20);
  EXPECT_EQ(window.outcomes.lost + window.outcomes.won, 0);
}

TEST(LanguageScoringTest, AConstantOnALineOfLogitsChangesNothing) {
  // Multiples of 1/256, so that adding 64 rounds nothing.
  Logits baseline = random_logits(999, "a", 4);
  Logits candidate = random_logits(999, "b", 4);
  for (Logits* logits : {&baseline, &candidate}) {
    for (float& logit : *logits) logit = std::round(logit * 256) / 256;
  }
  Logits shifted = candidate;
  for (float& logit : shifted) logit += 64;
  const WindowScore before = score(baseline, candidate, {7});
  const WindowScore after = score(baseline, shifted, {7});
  EXPECT_EQ(after.kl, before.kl);
  EXPECT_EQ(after.candidate_nll, before.candidate_nll);
  EXPECT_EQ(after.outcomes.both_wrong, before.outcomes.both_wrong);
}

TEST(LanguageScoringTest, ExtremeLogitsStayFinite) {
  const WindowScore window = score({1e4F, -1e4F, 0}, {-1e4F, 1e4F, 0}, {0});
  EXPECT_EQ(window.baseline_nll, 0);
  EXPECT_EQ(window.candidate_nll, 2e4);
  EXPECT_EQ(window.kl, 2e4);
  const float largest = std::numeric_limits<float>::max();
  EXPECT_DOUBLE_EQ(score({largest, -largest}, {-largest, largest}, {1}).kl,
                   2 * static_cast<double>(largest));
  EXPECT_EQ(score({1e4F, -1e4F, 1e4F}, {1e4F, -1e4F, 1e4F}, {0}).kl, 0);
}

TEST(LanguageScoringTest, TheMostLikelyIsTheLowestOfEqualsWhereverTheyStand) {
  for (const std::size_t first : {0U, 1U, 63U, 64U, 100U, 150U, 198U}) {
    Logits logits = random_logits(200, "a", 1);
    logits[first] = logits[199] = 9;
    EXPECT_EQ(score(logits, logits, {static_cast<std::int32_t>(first)}).outcomes.both_right, 1);
    EXPECT_EQ(score(logits, logits, {199}).outcomes.both_wrong, 1);
    logits[199] = kNoNumber;
    EXPECT_EQ(score(logits, logits, {static_cast<std::int32_t>(first)}).unusable, 1) << first;
  }
}

TEST(LanguageScoringTest, MinusInfinityIsAProbabilityOfZero) {
  // The candidate excludes what the baseline holds possible.
  const WindowScore excluding = score({0, 0, 0}, {0, -kInfinity, 0}, {0});
  EXPECT_EQ(excluding.kl, kInfinity);
  EXPECT_NEAR(excluding.candidate_nll, std::log(2.0), 1e-15);
  EXPECT_EQ(excluding.unusable, 0);
  EXPECT_EQ(score({0, 0, 0}, {0, -kInfinity, 0}, {1}).candidate_nll, kInfinity);
  EXPECT_EQ(score({0, -1000, 0}, {0, -kInfinity, 0}, {1}).kl, kInfinity) << "exp(-1000) is not 0";
  // What the baseline excludes too costs nothing: (1/2, 1/2) beside (1/2, 1/2), or (1/3, 1/3).
  EXPECT_EQ(score({0, -kInfinity, 0}, {0, -kInfinity, 0}, {0}).kl, 0);
  EXPECT_NEAR(score({0, -kInfinity, 0}, {0, 0, 0}, {0}).kl, std::log(1.5), 1e-15);
}

TEST(LanguageScoringTest, LogitsThatAreNoDistributionAreNeverRight) {
  const Logits sound{3, 2, 1};
  for (const Logits& broken :
       {Logits{3, kNoNumber, 1}, Logits{3, 2, kNoNumber}, Logits{kNoNumber, kNoNumber, kNoNumber},
        Logits{3, -kInfinity, kNoNumber}, Logits{kInfinity, 2, 1},
        Logits{-kInfinity, -kInfinity, -kInfinity}}) {
    const WindowScore candidate = score(sound, broken, {0});
    EXPECT_TRUE(std::isnan(candidate.kl));
    EXPECT_TRUE(std::isnan(candidate.candidate_nll));
    EXPECT_NEAR(candidate.baseline_nll, 0.40760596, 1e-7);  // ln(1 + e^-1 + e^-2)
    EXPECT_EQ(candidate.outcomes.lost, 1);
    const WindowScore baseline = score(broken, sound, {0});
    EXPECT_TRUE(std::isnan(baseline.baseline_nll));
    EXPECT_NEAR(baseline.candidate_nll, 0.40760596, 1e-7);
    EXPECT_EQ(baseline.outcomes.won, 1);
    const WindowScore both = score(broken, broken, {0});
    EXPECT_EQ(both.outcomes.both_wrong, 1);
    for (const WindowScore& window : {candidate, baseline, both}) {
      EXPECT_EQ(window.agreeing, 0);
      EXPECT_EQ(window.unusable, 1);
    }
  }
}

TEST(LanguageScoringTest, SumsItsTokensAndKeepsTheirDivergences) {
  const Logits baseline{1, 0, 0, 1, 2, 0}, candidate{1, 0, 1, 0, 1, 0};
  const WindowScore whole = score(baseline, candidate, {0, 1, 1});
  WindowScore sum;
  LanguageScores scores;
  for (std::size_t t = 0; t < 3; ++t) {
    score_window(ConstMatrix(&baseline[2 * t], 1, 2), ConstMatrix(&candidate[2 * t], 1, 2),
                 Targets{t == 0 ? 0 : 1}, scores);
    sum.kl += scores.windows[t].kl;
    sum.candidate_nll += scores.windows[t].candidate_nll;
    EXPECT_EQ(scores.kl[t], static_cast<float>(scores.windows[t].kl));
  }
  EXPECT_EQ(whole.kl, sum.kl);
  EXPECT_EQ(whole.candidate_nll, sum.candidate_nll);
  EXPECT_EQ(whole.agreeing, 2);
  EXPECT_EQ(whole.outcomes.both_right, 1);
  EXPECT_EQ(whole.outcomes.lost, 1);
  EXPECT_EQ(whole.outcomes.both_wrong, 1);
}

TEST(LanguageScoringTest, ReadsRowsByTheirStride) {
  const Logits spread{1, 0, kNoNumber, 0, 2, kNoNumber}, dense{1, 0, 0, 2};
  const Targets targets{0, 0};
  LanguageScores one, other;
  score_window(ConstMatrix(spread.data(), 2, 2, 3), ConstMatrix(dense.data(), 2, 2), targets, one);
  score_window(ConstMatrix(dense.data(), 2, 2), ConstMatrix(spread.data(), 2, 2, 3), targets,
               other);
  EXPECT_EQ(one.windows[0].kl, 0);
  EXPECT_EQ(other.windows[0].kl, 0);
  EXPECT_EQ(one.windows[0].baseline_nll, other.windows[0].baseline_nll);
}

TEST(LanguageScoringTest, DoesNotDependOnTheNumberOfThreads) {
  const Logits baseline = random_logits(512 * 300, "a", 4);
  const Logits candidate = random_logits(512 * 300, "b", 4);
  const Targets targets(300, 11);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const WindowScore one = score(baseline, candidate, targets);
  omp_set_num_threads(7);
  const WindowScore seven = score(baseline, candidate, targets);
  omp_set_num_threads(before);
  EXPECT_EQ(one.kl, seven.kl);
  EXPECT_EQ(one.baseline_nll, seven.baseline_nll);
  EXPECT_EQ(one.candidate_nll, seven.candidate_nll);
  EXPECT_EQ(one.agreeing, seven.agreeing);
}

TEST(LanguageScoringTest, RefusesUnequalSizesAndTargetsOutsideTheVocabulary) {
  const Logits logits(12);
  LanguageScores scores;
  const auto try_it = [&](std::int64_t rows, std::int64_t cols, const Targets& targets) {
    score_window(ConstMatrix(logits.data(), rows, cols), ConstMatrix(logits.data(), 2, 3), targets,
                 scores);
  };
  EXPECT_NO_THROW(try_it(2, 3, {0, 2}));
  EXPECT_THROW(try_it(2, 3, {0}), std::invalid_argument);
  EXPECT_THROW(try_it(2, 3, {}), std::invalid_argument);
  EXPECT_THROW(try_it(3, 3, {0, 0}), std::invalid_argument);
  EXPECT_THROW(try_it(2, 4, {0, 0}), std::invalid_argument);
  EXPECT_THROW(try_it(2, 3, {0, 3}), std::invalid_argument);
  EXPECT_THROW(try_it(2, 3, {-1, 0}), std::invalid_argument);
  EXPECT_EQ(scores.windows.size(), 1U);
}

}  // namespace
}  // namespace qassay
