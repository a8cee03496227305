#include "core/half.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/seed.hpp"
#include "tests/core/special_values.hpp"

namespace qassay {
namespace {

/// A format with `digits` binary digits, exponents from `min_exponent` on (value m * 2^e, m in
/// [1, 2)) and the given largest number, rounded by scaled double arithmetic: an independent
/// statement of IEEE 754 rounding.
float round_to_format(float value, int digits, int min_exponent, double largest) {
  if (!std::isfinite(value) || value == 0) return value;
  const int exponent = std::max(std::ilogb(value), min_exponent);
  const double step = std::ldexp(1.0, exponent - digits + 1);
  const double rounded = std::nearbyint(value / step) * step;
  // Above the largest number by half a step or more, the even neighbour is infinity.
  return std::fabs(rounded) > largest ? std::copysign(kInfinity, value)
                                      : static_cast<float>(rounded);
}

const double kBf16Max = std::ldexp(2.0 - std::ldexp(1.0, -7), 127);

float expected_f16(float value) { return round_to_format(value, 11, -14, kF16Max); }
float expected_bf16(float value) { return round_to_format(value, 8, -126, kBf16Max); }

/// Every half-precision number, the midpoint to the next one, and the floats beside the midpoint.
std::vector<float> f16_edges() {
  std::vector<float> edges;
  for (std::uint16_t bits = 0; bits < 0x7C00; ++bits) {
    const float here = f16_to_f32(bits);
    const float next = bits == 0x7BFF ? 65536.0F : f16_to_f32(static_cast<std::uint16_t>(bits + 1));
    const float middle = (here + next) / 2;
    for (const float x :
         {here, middle, std::nextafter(middle, 0.0F), std::nextafter(middle, kInfinity)}) {
      edges.push_back(x);
      edges.push_back(-x);
    }
  }
  return edges;
}

std::vector<float> random_patterns() {
  Random random(seed_from_name("half patterns"));
  std::vector<float> values;
  while (values.size() < 200'000) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    if (!std::isnan(x)) values.push_back(x);
  }
  return values;
}

TEST(HalfTest, EveryF16PatternRoundTrips) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f16_to_f32(half);
    if ((bits & 0x7FFF) > 0x7C00) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << bits;
    } else {
      ASSERT_EQ(f32_to_f16(value), half) << bits;
    }
  }
}

TEST(HalfTest, EveryF16PatternHasItsValue) {
  for (std::uint32_t bits = 0; bits <= 0x7C00; ++bits) {
    const int exponent = static_cast<int>(bits >> 10);
    const int fraction = static_cast<int>(bits & 0x3FF);
    const double expected = exponent == 31  ? kInfinity
                            : exponent == 0 ? std::ldexp(fraction, -24)
                                            : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(f16_to_f32(static_cast<std::uint16_t>(bits)), expected) << bits;
    ASSERT_EQ(f16_to_f32(static_cast<std::uint16_t>(bits | 0x8000)), -expected) << bits;
  }
}

TEST(HalfTest, EveryBf16PatternRoundTrips) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = bf16_to_f32(half);
    if ((bits & 0x7FFF) > 0x7F80) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value)))) << bits;
    } else {
      ASSERT_EQ(f32_to_bf16(value), half) << bits;
    }
  }
}

TEST(HalfTest, RoundsToNearestTiesToEven) {
  for (const std::vector<float>& values : {f16_edges(), random_patterns()}) {
    for (const float x : values) {
      ASSERT_EQ(f16_to_f32(f32_to_f16(x)), expected_f16(x)) << std::hexfloat << x;
      ASSERT_EQ(bf16_to_f32(f32_to_bf16(x)), expected_bf16(x)) << std::hexfloat << x;
      ASSERT_EQ(std::signbit(f16_to_f32(f32_to_f16(x))), std::signbit(x)) << std::hexfloat << x;
      ASSERT_EQ(std::signbit(bf16_to_f32(f32_to_bf16(x))), std::signbit(x)) << std::hexfloat << x;
    }
  }
}

TEST(HalfTest, EveryNanStaysNan) {
  for (const std::uint32_t bits :
       {0x7F800001U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU, 0x7FC00000U}) {
    const float nan = std::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(nan)))) << bits;
    EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(nan)))) << bits;
  }
}

}  // namespace
}  // namespace qassay
