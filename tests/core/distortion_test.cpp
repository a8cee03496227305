#include "core/distortion.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/seed.hpp"

namespace qassay {
namespace {

Distortion of(const std::vector<float>& got, const std::vector<float>& reference) {
  return distortion({got.data(), 1, static_cast<std::int64_t>(got.size())},
                    {reference.data(), 1, static_cast<std::int64_t>(reference.size())});
}

TEST(DistortionTest, KnownAnswers) {
  // The error (0, 0.5) against the signal (3, 4): 25 / 0.25 = 100 = 20 dB.
  const Distortion result = of({3.0F, 4.5F}, {3.0F, 4.0F});
  EXPECT_NEAR(result.sqnr_db, 20.0, 1e-12);
  EXPECT_NEAR(result.relative_error, 0.1, 1e-12);
  EXPECT_NEAR(result.cosine, 27.0 / (5.0 * std::sqrt(29.25)), 1e-12);
}

TEST(DistortionTest, CosineIsBlindToScaleAndSqnrIsNot) {
  const Distortion doubled = of({2.0F, 4.0F}, {1.0F, 2.0F});
  EXPECT_NEAR(doubled.cosine, 1.0, 1e-15);
  EXPECT_NEAR(doubled.sqnr_db, 0.0, 1e-12);
  EXPECT_NEAR(of({-1.0F, -2.0F}, {1.0F, 2.0F}).cosine, -1.0, 1e-15);
}

TEST(DistortionTest, EqualMatricesHaveTheCap) {
  for (const std::vector<float>& values : {std::vector<float>{1, 2}, std::vector<float>{0, 0}}) {
    const Distortion result = of(values, values);
    EXPECT_EQ(result.sqnr_db, kMaxSqnrDb);
    EXPECT_EQ(result.cosine, 1.0);
    EXPECT_EQ(result.relative_error, 0.0);
  }
}

TEST(DistortionTest, NothingInCommonIsFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Distortion& result : {of({nan, 1}, {1, 1}), of({infinity, 1}, {infinity, 1}),
                                   of({1, 1}, {nan, 1}), of({1, 1}, {0, 0})}) {
    EXPECT_EQ(result.sqnr_db, -kMaxSqnrDb);
    EXPECT_EQ(result.cosine, 0.0);
    EXPECT_EQ(result.relative_error, kMaxRelativeError);
  }
  const Distortion silent = of({0, 0}, {3, 4});
  EXPECT_EQ(silent.sqnr_db, 0.0);
  EXPECT_EQ(silent.cosine, 0.0);
  EXPECT_EQ(silent.relative_error, 1.0);
}

TEST(DistortionTest, ExtremeRatiosStayWithinTheCaps) {
  const Distortion tiny_error = of({1e30F, 1e-30F}, {1e30F, 0});
  EXPECT_EQ(tiny_error.sqnr_db, kMaxSqnrDb);
  const Distortion huge_error = of({1e30F, 0}, {1e-30F, 0});
  EXPECT_EQ(huge_error.sqnr_db, -kMaxSqnrDb);
  EXPECT_EQ(huge_error.relative_error, kMaxRelativeError);
}

TEST(DistortionTest, DoesNotDependOnThreadsOrStrides) {
  constexpr std::int64_t rows = 37, cols = 101, stride = 103;
  std::vector<float> a(rows * stride), b(rows * stride);
  fill_normal(a, 1, 1.0F);
  fill_normal(b, 2, 1.0F);
  const ConstMatrix got(a.data(), rows, cols, stride), reference(b.data(), rows, cols, stride);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Distortion one = distortion(got, reference);
  omp_set_num_threads(3);
  const Distortion three = distortion(got, reference);
  omp_set_num_threads(threads);
  EXPECT_EQ(one.sqnr_db, three.sqnr_db);
  EXPECT_EQ(one.cosine, three.cosine);
  EXPECT_NEAR(one.sqnr_db, 10 * std::log10(0.5), 0.2);  // independent normals
}

TEST(DistortionTest, RefusesEmptyAndUnequalShapes) {
  const float values[4] = {};
  EXPECT_THROW(distortion({values, 1, 4}, {values, 2, 2}), std::invalid_argument);
  EXPECT_THROW(distortion({values, 0, 4}, {values, 0, 4}), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
