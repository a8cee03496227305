#include "models/ops/vector_loops.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/half.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

std::vector<float> exponentials_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  exponentials(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  return y;
}

TEST(VectorLoopsTest, ExponentialsAreWithinTwoUnitsInTheLastPlace) {
  std::vector<float> x;
  for (float at = -87.3F; at < 88.7F; at += 0.0137F) x.push_back(at);
  const std::vector<float> y = exponentials_of(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double wanted = std::exp(static_cast<double>(x[i]));
    const auto nearest = static_cast<float>(wanted);
    const double unit = std::nextafter(nearest, INFINITY) - nearest;
    ASSERT_NEAR(y[i], wanted, 2 * unit) << x[i];
  }
}

TEST(VectorLoopsTest, ExponentialsOfWhatIsNoNumberOrTooLarge) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> y = exponentials_of({0, 89, inf, -88, -inf, std::nanf("")});
  EXPECT_EQ(y[0], 1);
  EXPECT_EQ(y[1], inf);
  EXPECT_EQ(y[2], inf);
  EXPECT_EQ(y[3], 0);
  EXPECT_EQ(y[4], 0);
  EXPECT_TRUE(std::isnan(y[5]));
}

/// Every width around a vector and every height around a tile, b in each storage; what lies between
/// the rows of c stays as it is.
TEST(VectorLoopsTest, ProductsEqualTheirDefinitionForAnySizes) {
  for (const std::int64_t m : {1, 2, 5, 6, 7, 13}) {
    for (const std::int64_t n : {1, 15, 16, 17, 40}) {
      for (const std::int64_t k : {1, 3, 64}) {
        const std::int64_t b_row = n + 3;
        const std::int64_t c_row = n + 2;
        const std::vector<float> a = normal_numbers(m * k, "a");
        std::vector<float> b;
        std::vector<Half> halves;
        std::vector<std::int8_t> codes;
        for (const float value : normal_numbers(k * b_row, "b")) {
          codes.push_back(static_cast<std::int8_t>(std::lrint(30 * value)));
          halves.push_back(f32_to_f16(static_cast<float>(codes.back())));
          b.push_back(static_cast<float>(codes.back()));
        }
        for (const bool add : {false, true}) {
          std::vector<float> before = normal_numbers(m * c_row, "c");
          std::vector<float> c[3] = {before, before, before};
          const auto product = [&](std::vector<float>& out) {
            return Product{.m = m,
                           .n = n,
                           .k = k,
                           .a = a.data(),
                           .a_row = k,
                           .b_row = b_row,
                           .c = out.data(),
                           .c_row = c_row,
                           .add = add};
          };
          multiply(product(c[0]), b.data());
          multiply(product(c[1]), halves.data());
          multiply(product(c[2]), codes.data());
          EXPECT_EQ(c[1], c[0]);
          EXPECT_EQ(c[2], c[0]);
          for (std::int64_t i = 0; i < m * c_row; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (i % c_row >= n) {
              ASSERT_EQ(c[0][at], before[at]);
              continue;
            }
            double sum = add ? before[at] : 0;
            for (std::int64_t j = 0; j < k; ++j) {
              sum += static_cast<double>(a[static_cast<std::size_t>(i / c_row * k + j)]) *
                     b[static_cast<std::size_t>(j * b_row + i % c_row)];
            }
            ASSERT_NEAR(c[0][at], sum, 1e-3) << m << "x" << n << "x" << k;
          }
        }
      }
    }
  }
}

TEST(VectorLoopsTest, HalvesAreWidenedExactly) {
  std::vector<Half> halves;
  for (int bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7C00) != 0x7C00) halves.push_back(static_cast<Half>(bits));  // finite ones
  }
  const float one = 1;
  std::vector<float> c(halves.size());
  multiply(
      {.m = 1, .n = static_cast<std::int64_t>(halves.size()), .k = 1, .a = &one, .c = c.data()},
      halves.data());
  for (std::size_t i = 0; i < c.size(); ++i) ASSERT_EQ(c[i], f16_to_f32(halves[i])) << halves[i];
}

TEST(VectorLoopsTest, RoundsToHalvesAsOneByOne) {
  std::vector<float> x = normal_numbers(1003, "x");
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::ldexp(x[i], static_cast<int>(i % 45) - 28);
  for (const float special :
       {0.0F, -0.0F, 0x1p-24F, 0x1.8p-25F, 0x1p-25F, 0x1.002p0F, 0x1.006p0F, 65504.0F, -65519.0F})
    x.push_back(special);
  std::vector<Half> y(x.size());
  to_halves(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  for (std::size_t i = 0; i < x.size(); ++i)
    ASSERT_EQ(y[i], f32_to_f16(std::clamp(x[i], -65504.0F, 65504.0F))) << x[i];
  const float beyond[] = {70000, -1e30F};
  to_halves(beyond, y.data(), 2);
  EXPECT_EQ(f16_to_f32(y[0]), 65504);
  EXPECT_EQ(f16_to_f32(y[1]), -65504);
}

TEST(VectorLoopsTest, RoundsToCodesWithTiesToEven) {
  const std::vector<float> x{0,    0.5F, 1.5F,  -0.5F, -2.5F, 126.4F, 127, -127, 300,
                             -300, 3.3F, -7.7F, 2.5F,  0.49F, -1.5F,  99,  12.6F};
  std::vector<std::int8_t> y(x.size());
  const auto n = static_cast<std::int64_t>(x.size());
  for (const float scale : {1.0F, 0.25F, 3.0F}) {
    std::vector<float> scaled = x;
    for (float& value : scaled) value *= scale;
    to_codes(scaled.data(), scale, y.data(), n);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_EQ(y[i], std::lrint(std::clamp(scaled[i] / scale, -127.0F, 127.0F))) << scaled[i];
  }
  to_codes(x.data(), 0, y.data(), n);
  EXPECT_EQ(y, std::vector<std::int8_t>(x.size()));
}

TEST(VectorLoopsTest, GeluIsThatOfTheNormalDistribution) {
  std::vector<float> x;
  for (int i = -1000; i <= 1000; ++i) x.push_back(static_cast<float>(i) / 100);
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<float> y(x.size()), slope(x.size());
  const std::vector<float> ones(x.size(), 1);
  gelu(x.data(), y.data(), n);
  gelu_slope(x.data(), ones.data(), slope.data(), n);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    const double share = std::erfc(-v / std::numbers::sqrt2) / 2;
    const double density = std::exp(-v * v / 2) / std::sqrt(2 * std::numbers::pi);
    ASSERT_NEAR(y[i], v * share, 3e-7 * std::abs(v) + 1e-12) << v;
    ASSERT_NEAR(slope[i], share + v * density, 1e-6) << v;
  }
}

TEST(VectorLoopsTest, SoftmaxTakesScoresThatWouldOverflow) {
  std::vector<float> x{1000, 999, -1e30F};
  softmax(x.data(), 3, 1);
  EXPECT_NEAR(x[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_NEAR(x[1], 1 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_EQ(x[2], 0);
}

}  // namespace
}  // namespace qassay
