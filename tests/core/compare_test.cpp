#include "core/compare.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/seed.hpp"
#include "tests/core/special_values.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kMax = std::numeric_limits<float>::max();

Comparison compare_one(float got, float expected, const Limits& limits) {
  return compare(ConstMatrix(&got, 1, 1), ConstMatrix(&expected, 1, 1), limits);
}

struct Pair {
  float got, expected;
};

// Wrong outputs that comparators of well-known projects let through, and more of their kind.
TEST(CompareTest, WrongAnswersAreRejected) {
  const std::vector<Limits> tolerances{
      {}, {.absolute = 1e-3}, {.relative = 1e-3}, {.absolute = 0.5, .relative = 0.5}};
  for (const auto& [got, expected] : std::vector<Pair>{{kNan, 1},
                                                       {1, kNan},
                                                       {kNan, kNan},
                                                       {kNan, 0},
                                                       {kNan, kInfinity},
                                                       {1e6F, 0},
                                                       {-1, -5},
                                                       {5, -5},
                                                       {-1e-1F, 5},
                                                       {0, 5},
                                                       {0, kInfinity},
                                                       {0, -kInfinity},
                                                       {kInfinity, 0},
                                                       {kInfinity, 1},
                                                       {kMax, kInfinity},
                                                       {kInfinity, kMax},
                                                       {-kInfinity, kInfinity}}) {
    for (const Limits& limits : tolerances) {
      const Comparison result = compare_one(got, expected, limits);
      EXPECT_FALSE(result.passed()) << got << " for " << expected;
      EXPECT_EQ(result.mismatches, 1) << got << " for " << expected;
    }
  }
}

TEST(CompareTest, LimitsThatAreNoNumbersTolerateNothing) {
  for (const double bad : {double{kNan}, double{kInfinity}, -1.0}) {
    EXPECT_FALSE(compare_one(1.0F, 2.0F, {.absolute = bad}).passed()) << bad;
    EXPECT_FALSE(compare_one(1.0F, 2.0F, {.relative = bad}).passed()) << bad;
    EXPECT_FALSE(compare_one(kInfinity, 2.0F, {.absolute = bad}).passed()) << bad;
  }
}

TEST(CompareTest, EqualValuesPassWithoutTolerance) {
  for (const auto& [got, expected] : std::vector<Pair>{
           {0, 0}, {-0.0F, 0.0F}, {kInfinity, kInfinity}, {-kInfinity, -kInfinity}, {kMax, kMax}}) {
    EXPECT_TRUE(compare_one(got, expected, {}).passed()) << got << " for " << expected;
  }
}

TEST(CompareTest, OneUnitInTheLastPlaceIsSeenWithoutTolerance) {
  for (const float x : {1.0F, 1e-45F, 3e38F, -7.0F}) {
    EXPECT_FALSE(compare_one(std::nextafter(x, 0.0F), x, {}).passed()) << x;
  }
}

TEST(CompareTest, LimitIsTheSumOfItsParts) {
  const double part = 0.5;
  const Limits limits{
      .absolute = 0.25, .relative = 0.125, .per_element = MatrixView<const double>(&part, 1, 1)};
  // 0.25 + 0.125 * 2 + 0.5 = 1
  EXPECT_TRUE(compare_one(3.0F, 2.0F, limits).passed());
  EXPECT_FALSE(compare_one(std::nextafter(3.0F, 4.0F), 2.0F, limits).passed());
  EXPECT_TRUE(compare_one(1.0F, 2.0F, limits).passed());
  EXPECT_FALSE(compare_one(std::nextafter(1.0F, 0.0F), 2.0F, limits).passed());
}

TEST(CompareTest, CountsAndFindsTheWorst) {
  const std::vector<float> expected{1, 2, 3, 4, 5, 6};
  const std::vector<float> got{1, 2.5F, 3, 4, 9, 6.75F};
  const Comparison result = compare({got.data(), 2, 3}, {expected.data(), 2, 3}, {.absolute = 0.6});
  EXPECT_EQ(result.elements, 6);
  EXPECT_EQ(result.mismatches, 2);
  EXPECT_EQ(result.worst.row, 1);
  EXPECT_EQ(result.worst.col, 1);
  EXPECT_EQ(result.worst.got, 9);
  EXPECT_EQ(result.worst.expected, 5);
  EXPECT_EQ(result.worst.limit, 0.6);
  EXPECT_EQ(result.describe(),
            "2 of 6 differ, worst at row 1, column 1: got 9, expected 5, limit 0.6");
}

TEST(CompareTest, WorstIsTheLargestDifferenceWhereNothingIsTolerated) {
  const std::vector<float> expected{1, 2, 3};
  const std::vector<float> got{1.5F, 7, 3.5F};
  EXPECT_EQ(compare({got.data(), 1, 3}, {expected.data(), 1, 3}, {}).worst.col, 1);
}

TEST(CompareTest, NanIsWorseThanAnyNumber) {
  const std::vector<float> expected{1, 2, 3};
  const std::vector<float> got{kMax, kNan, 3};
  const Comparison result = compare({got.data(), 1, 3}, {expected.data(), 1, 3}, {});
  EXPECT_EQ(result.mismatches, 2);
  EXPECT_EQ(result.worst.col, 1);
}

TEST(CompareTest, HonoursStrides) {
  const std::vector<float> expected{1, 2, -1, 3, 4, -1};
  const std::vector<float> got{1, 2, 3, 4};
  EXPECT_TRUE(compare({got.data(), 2, 2}, {expected.data(), 2, 2, 3}, {}).passed());
}

TEST(CompareTest, NothingComparedHasNotPassed) {
  EXPECT_FALSE(Comparison{}.passed());
  EXPECT_FALSE(compare({nullptr, 0, 5}, {nullptr, 0, 5}, {}).passed());
  EXPECT_EQ(Comparison{}.describe(), "nothing was compared");
}

TEST(CompareTest, MostlyZeroOutputsAreMarked) {
  std::vector<float> values{0, 0, 0, -0.0F, 1, 1, 1, 1, 1, 1};
  const Comparison result = compare({values.data(), 1, 10}, {values.data(), 1, 10}, {});
  EXPECT_TRUE(result.passed());
  EXPECT_DOUBLE_EQ(result.zero_share(), 0.4);
  EXPECT_TRUE(result.mostly_zero());
  EXPECT_THAT(result.describe(), HasSubstr("40 % of them are zero"));
  values[0] = 1;
  EXPECT_FALSE(compare({values.data(), 1, 10}, {values.data(), 1, 10}, {}).mostly_zero());
}

TEST(CompareTest, DifferentShapesAreAProgrammersError) {
  const float values[4] = {};
  const double limit = 0;
  EXPECT_THROW(compare({values, 1, 4}, {values, 2, 2}, {}), std::invalid_argument);
  EXPECT_THROW(compare({values, 1, 4}, {values, 1, 4}, {.per_element = {&limit, 1, 1}}),
               std::invalid_argument);
}

float naive_dot(const float* a, const float* b, std::int64_t k) {
  float sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += a[i] * b[i];
  return sum;
}

TEST(DotProductLimitTest, BoundsTheErrorOfFloatSumsAndIsNotEmpty) {
  constexpr std::int64_t m = 3, n = 5;
  for (const std::int64_t k : {1, 7, 128, 4099}) {
    std::vector<float> x(static_cast<std::size_t>(m * k)), w(static_cast<std::size_t>(n * k));
    fill_normal(x, 1, 2.0F);
    fill_normal(w, 2, 0.1F);
    const ConstMatrix xs(x.data(), m, k), ws(w.data(), n, k);
    const std::vector<double> limits = dot_product_limits(xs, ws);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        double exact = 0, magnitudes = 0;
        for (std::int64_t l = 0; l < k; ++l) {
          const double product = double{xs.row(i)[l]} * ws.row(j)[l];
          exact += product;
          magnitudes += std::fabs(product);
        }
        const double error = std::fabs(naive_dot(xs.row(i), ws.row(j), k) - exact);
        const double tight = dot_product_limit(k, magnitudes);
        const double cheap = limits[static_cast<std::size_t>(i * n + j)];
        EXPECT_LE(error, tight);
        EXPECT_LE(tight, cheap * (1 + 1e-12));
        // A wrong term has to be noticed: the limit stays far below one product.
        EXPECT_LT(cheap, 0.1 * std::sqrt(magnitudes * magnitudes));
      }
    }
  }
}

TEST(DotProductLimitTest, HasNoBoundWhereTheoryHasNone) {
  EXPECT_EQ(dot_product_limit(0, 5.0), 0.0);
  EXPECT_NEAR(dot_product_limit(1, 1.0), 0x1p-24, 1e-14);
  EXPECT_TRUE(std::isinf(dot_product_limit(256, 1.0, 0x1p-8)));
}

TEST(FineCodeLimitTest, RaisesEveryMagnitudeToTheLargestOfItsBlock) {
  const std::vector<float> x = {1, -3, 2, 0, 4, -1, 0, 0, 0, -5};
  EXPECT_THAT(block_largest({x.data(), 2, 5}, 2), ElementsAre(3, 3, 2, 2, 4, 1, 1, 0, 0, 5));
}

TEST(FineCodeLimitTest, HoldsForCodesOf16BitsAndNotForThoseOf14) {
  constexpr std::int64_t kK = 96;
  constexpr std::int64_t kBlock = 32;
  Random random(7);
  std::vector<float> x(kK), w(kK);
  for (float& number : x) number = static_cast<float>(random.normal());
  for (float& number : w) number = static_cast<float>(random.normal());
  const std::vector<float> largest = block_largest({x.data(), 1, kK}, kBlock);
  // The worst that rounding does: half a step everywhere, each with the sign of its weight.
  const auto worst = [&](double reach) {
    double error = 0;
    for (std::size_t i = 0; i < kK; ++i) error += 0.5 * largest[i] / reach * std::fabs(w[i]);
    return error;
  };
  const double limit = fine_code_limits({x.data(), 1, kK}, {w.data(), 1, kK}, kBlock).at(0);
  EXPECT_LE(worst(32639), limit);
  EXPECT_GT(worst(32639 / 4), limit);
}

TEST(UnsignedMagnitudesTest, AddTheZerosShare) {
  QuantMatrix weights;
  weights.scheme = parse_scheme("W4A8-g8-blocked");
  weights.n = 1;
  weights.k = 9;
  weights.codes = {1, 8, 15, 8, 8, 8, 8, 8, 9};
  weights.scales = {0.5F, 2.0F};
  EXPECT_THAT(unsigned_magnitudes(weights),
              testing::ElementsAre(7.5F, 4.0F, 7.5F, 4.0F, 4.0F, 4.0F, 4.0F, 4.0F, 18.0F));
}

}  // namespace
}  // namespace qassay
