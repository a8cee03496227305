#include "models/train/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kRows = 3, kClasses = 4;
const std::vector<std::int32_t> kLabels{2, 0, 3};

std::size_t at(std::int64_t row, std::int64_t c) {
  return static_cast<std::size_t>(row * kClasses + c);
}

/// -sum over classes of wanted * log(softmax), meant over the rows.
double direct(const std::vector<double>& scores, double smoothing) {
  double loss = 0;
  for (std::int64_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (std::int64_t c = 0; c < kClasses; ++c) sum += std::exp(scores[at(row, c)]);
    for (std::int64_t c = 0; c < kClasses; ++c) {
      const bool is_label = c == kLabels[static_cast<std::size_t>(row)];
      const double wanted = is_label ? 1 - smoothing + smoothing / 4 : smoothing / 4;
      loss -= wanted * std::log(std::exp(scores[at(row, c)]) / sum) / kRows;
    }
  }
  return loss;
}

TEST(CrossEntropyTest, EqualsItsFormulaAndSlopeWithAnySmoothing) {
  const std::vector<float> scores = normal_numbers(kRows * kClasses, "scores", 2);
  std::vector<double> doubles(scores.begin(), scores.end());
  for (const double smoothing : {0.0, 0.05, 0.5, 1.0}) {
    std::vector<float> slope(scores.size());
    const double loss = cross_entropy({scores.data(), kRows, kClasses}, kLabels, smoothing,
                                      {slope.data(), kRows, kClasses})
                            .loss;
    EXPECT_NEAR(loss, direct(doubles, smoothing), 1e-12) << smoothing;
    for (std::size_t i = 0; i < doubles.size(); ++i) {
      const double kept = doubles[i];
      doubles[i] = kept + 1e-5;
      const double above = direct(doubles, smoothing);
      doubles[i] = kept - 1e-5;
      const double below = direct(doubles, smoothing);
      doubles[i] = kept;
      EXPECT_NEAR(slope[i], (above - below) / 2e-5, 1e-7) << smoothing << ", score " << i;
    }
  }
}

TEST(CrossEntropyTest, TakesScoresThatWouldOverflow) {
  const std::vector<float> scores{1e30F, 0, -1e30F, 0};
  std::vector<float> slope(4);
  const std::vector<std::int32_t> first{0}, third{2};
  const Matrix out(slope.data(), 1, 4);
  EXPECT_EQ(cross_entropy({scores.data(), 1, 4}, first, 0, out).loss, 0);
  EXPECT_EQ(slope, (std::vector<float>{0, 0, 0, 0}));
  EXPECT_NEAR(cross_entropy({scores.data(), 1, 4}, third, 0, out).loss, 2e30, 1e24);
  EXPECT_EQ(slope, (std::vector<float>{1, 0, -1, 0}));
}

TEST(CrossEntropyTest, IsNotFiniteWhereAScoreIsNot) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (std::size_t place = 0; place < 4; ++place) {
      std::vector<float> scores(4, 0.5F), slope(4);
      scores[place] = bad;
      const std::vector<std::int32_t> label{1};
      EXPECT_FALSE(std::isfinite(
          cross_entropy({scores.data(), 1, 4}, label, 0.1, {slope.data(), 1, 4}).loss))
          << bad << " at " << place;
    }
  }
}

}  // namespace
}  // namespace qassay
