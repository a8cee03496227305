#include "models/ridge.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "core/seed.hpp"
#include "models/linear_algebra.hpp"

namespace qassay {
namespace {

class RidgeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

TEST_F(RidgeTest, EqualsAHandMadeRegression) {
  // One feature z = 0, 1, 2, 3 with labels 0, 0, 1, 1: mean 1.5, sum of squares about it 5, its
  // covariance sum with class 1 is 2. Variance share: count * v = 5, so with ridge r the slope is
  // 2 / (5 + 5 r).
  const std::vector<float> z{0, 1, 2, 3};
  const std::vector<std::uint8_t> labels{0, 0, 1, 1};
  RidgeRegression regression(1, 2);
  regression.add({z.data(), 4, 1}, labels, 1);
  const auto plain = regression.solve(0);
  EXPECT_NEAR(plain.weights[0], -0.4, 1e-6);
  EXPECT_NEAR(plain.weights[1], 0.4, 1e-6);
  EXPECT_NEAR(plain.bias[0], 0.5 + 0.4 * 1.5, 1e-6);
  EXPECT_NEAR(plain.bias[1], 0.5 - 0.4 * 1.5, 1e-6);
  const auto damped = regression.solve(1.0);
  EXPECT_NEAR(damped.weights[1], 0.2, 1e-6);
  EXPECT_NEAR(damped.bias[1], 0.5 - 0.2 * 1.5, 1e-6);
}

// At the minimum the residuals of the plain fit have no mean and no covariance with a feature.
TEST_F(RidgeTest, ResidualsOfThePlainFitAreOrthogonalToTheFeatures) {
  constexpr std::int64_t count = 60, features = 7, classes = 3;
  std::vector<float> z(count * features);
  fill_normal(z, 6, 1.0F);
  for (float& value : z) value += 0.5F;
  Random random(7);
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < count; ++i)
    labels.push_back(static_cast<std::uint8_t>(random.below(classes)));
  RidgeRegression regression(features, classes);
  const std::span<const std::uint8_t> all(labels);
  regression.add({z.data(), 25, features}, all.first(25), 2);
  regression.add({z.data() + 25 * features, 35, features}, all.subspan(25), 2);
  const auto fit = regression.solve(0);
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<double> moments(features + 1);
    for (std::size_t i = 0; i < count; ++i) {
      double residual = fit.bias[c] - (labels[i] == c ? 1.0 : 0.0);
      for (std::size_t f = 0; f < features; ++f) {
        residual += double{fit.weights[c * features + f]} * z[i * features + f];
      }
      for (std::size_t f = 0; f < features; ++f) moments[f] += residual * z[i * features + f];
      moments[features] += residual;
    }
    for (const double moment : moments) EXPECT_NEAR(moment, 0, 1e-4);
  }
}

TEST_F(RidgeTest, SaysWhenTheRidgeIsTooSmall) {
  const std::vector<float> z{1, 1, 1, 1};  // no variance at all
  RidgeRegression regression(2, 2);
  regression.add({z.data(), 2, 2}, std::vector<std::uint8_t>{0, 1}, 1);
  EXPECT_THROW(regression.solve(0.1), std::runtime_error);
}

}  // namespace
}  // namespace qassay
