#include "core/grid.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cfloat>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/half.hpp"
#include "core/seed.hpp"
#include "tests/core/special_values.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;

struct Group {
  std::string name;
  std::vector<float> values;
};

/// Groups of every kind that weights come in, the awkward ones included.
std::vector<Group> groups() {
  std::vector<Group> all{
      {"zeros", {0.0F, 0.0F, -0.0F, 0.0F}},          {"one", {0.37F}},
      {"denormal", {1e-41F, -3e-42F, 0.0F, 2e-45F}}, {"huge", {1e38F, -0.9e38F, 1e37F, 0.0F}},
      {"positive", {5.0F, 5.1F, 5.2F, 5.3F}},        {"negative", {-5.0F, -5.1F, -0.2F}},
      {"equal", {-0.25F, -0.25F, -0.25F}},           {"tiny", {3e-7F, -2e-7F, 1e-8F}},
  };
  for (int i = 0; i < 200; ++i) {
    Group group{fmt::format("random {}", i), std::vector<float>(64)};
    fill_normal(group.values, seed_from_name(group.name), std::ldexp(1.0F, i % 16 - 8));
    all.push_back(group);
  }
  return all;
}

Grid fit(const Group& group, bool asymmetric, int bits, DType scales) {
  const auto n = static_cast<std::int64_t>(group.values.size());
  if (!asymmetric) return symmetric_grid(largest_magnitude(group.values.data(), n), bits, scales);
  const Extremes range = extremes(group.values.data(), n);
  return asymmetric_grid(range.min, range.max, bits, scales);
}

std::vector<float> snapped(const Grid& grid, const std::vector<float>& values) {
  std::vector<float> out;
  for (const float x : values) out.push_back(grid.value(grid.code(x)));
  return out;
}

// The worked example of the source articles: asymmetric, 8 bits, digit by digit.
TEST(GridTest, WorkedExampleOfTheArticles) {
  const std::vector<float> values{0.1F, 0.5F, 1.2F, 2.8F, -0.3F, -1.5F};
  const Grid grid = asymmetric_grid(-1.5F, 2.8F, 8, DType::f32);
  EXPECT_NEAR(grid.scale, 0.0169, 0.00005);
  EXPECT_FLOAT_EQ(grid.scale, 4.3F / 255.0F);
  EXPECT_EQ(grid.zero, 89);

  std::vector<int> codes;
  for (const float value : values) codes.push_back(grid.code(value));
  EXPECT_THAT(codes, ElementsAre(95, 119, 160, 255, 71, 0));
  EXPECT_NEAR(grid.value(95), 0.101, 0.0005);
  EXPECT_NEAR(grid.value(160), 1.20, 0.005);
}

TEST(GridTest, DividesInsteadOfMultiplyingByAnInverse) {
  // 127.5 steps exactly, a tie that goes to 128; x * (1 / scale) is 127.499992 and goes to 127.
  const Grid grid{.scale = 0.003F, .zero = 0, .low = 0, .high = 255};
  int differ = 0;
  for (int step = 0; step < 255; ++step) {
    const float x = (static_cast<float>(step) + 0.5F) * grid.scale;
    EXPECT_EQ(grid.code(x), static_cast<int>(std::nearbyint(x / grid.scale))) << step;
    if (std::nearbyint(x * (1.0F / grid.scale)) != std::nearbyint(x / grid.scale)) ++differ;
  }
  EXPECT_GT(differ, 0) << "the two rules must be told apart by these values";
}

TEST(GridTest, TiesGoToEven) {
  const Grid grid{.scale = 1.0F, .zero = 8, .low = 0, .high = 15};
  std::vector<int> codes;
  for (const float x : {-2.5F, -1.5F, -0.5F, 0.5F, 1.5F, 2.5F}) codes.push_back(grid.code(x));
  EXPECT_THAT(codes, ElementsAre(6, 6, 8, 8, 10, 10));
}

TEST(GridTest, SymmetricGridsLeaveCodeZeroUnusedAndReachTheLargest) {
  for (int bits = 2; bits <= 8; ++bits) {
    const Grid grid = symmetric_grid(3.0F, bits, DType::f32);
    EXPECT_EQ(grid.low, 1);
    EXPECT_EQ(grid.high, (1 << bits) - 1);
    EXPECT_EQ(grid.code(-3.0F), grid.low);
    EXPECT_EQ(grid.code(3.0F), grid.high);
    EXPECT_EQ(grid.code(-100.0F), grid.low);
    EXPECT_EQ(grid.code(kInfinity), grid.high);
    EXPECT_EQ(grid.value(grid.code(0.0F)), 0.0F);
  }
}

TEST(GridTest, ErrorIsAtMostHalfAStep) {
  for (const Group& group : groups()) {
    for (const bool asymmetric : {false, true}) {
      for (int bits = 2; bits <= 8; ++bits) {
        const Grid grid = fit(group, asymmetric, bits, DType::f32);
        // The division and the product with the code each round once, on at most 255 steps.
        const double half_step = grid.scale * (0.5 + 256 * 2 * FLT_EPSILON);
        for (const float x : group.values) {
          ASSERT_LE(std::fabs(double{grid.value(grid.code(x))} - x), half_step)
              << group.name << ", " << bits << " bits, asymmetric " << asymmetric << ", " << x;
        }
      }
    }
  }
}

// An FP16 scale may be too small by 2^-11 of itself, so the ends of the range are cut off by up to
// 2^-11 * 2^bits steps more.
TEST(GridTest, F16ScalesCutOffNoMoreThanTheirRounding) {
  for (const Group& group : groups()) {
    if (group.name == "huge") continue;
    for (const bool asymmetric : {false, true}) {
      for (int bits = 2; bits <= 8; ++bits) {
        const Grid grid = fit(group, asymmetric, bits, DType::f16);
        EXPECT_EQ(grid.scale, f16_to_f32(f32_to_f16(grid.scale)));
        const double limit = grid.scale * (0.5 + std::ldexp(1.01, bits - 11));
        for (const float x : group.values) {
          ASSERT_LE(std::fabs(double{grid.value(grid.code(x))} - x), limit)
              << group.name << ", " << bits << " bits, asymmetric " << asymmetric << ", " << x;
        }
      }
    }
  }
}

// Rounded to nearest, the scale 1.49 * 2^-24 would become 2^-24 and reach only two thirds.
TEST(GridTest, F16ScalesBelowTheNormalRangeAreRoundedUp) {
  for (const float steps : {0.001F, 1.01F, 1.49F, 2.5F, 700.2F, 1023.5F}) {
    const float max_abs = steps * kF16MinSubnormal * 7;
    const Grid grid = symmetric_grid(max_abs, 4, DType::f16);
    EXPECT_GE(grid.scale * 7, max_abs) << steps;
    EXPECT_EQ(grid.scale, f16_to_f32(f32_to_f16(grid.scale))) << steps;
  }
}

// Without extending the range to zero, the zero point of a one-sided group would be cut off and the
// error grow to many steps.
TEST(GridTest, RangesOfOneSignAreExtendedToZero) {
  const Grid above = asymmetric_grid(5.0F, 5.3F, 8, DType::f32);
  EXPECT_EQ(above.zero, 0);
  EXPECT_NEAR(above.value(above.code(5.1F)), 5.1, above.scale / 2);
  const Grid below = asymmetric_grid(-5.3F, -5.0F, 8, DType::f32);
  EXPECT_EQ(below.zero, 255);
  EXPECT_NEAR(below.value(below.code(-5.1F)), -5.1, below.scale / 2);
}

TEST(GridTest, ZeroIsAlwaysExact) {
  for (const Group& group : groups()) {
    for (const bool asymmetric : {false, true}) {
      const Grid grid = fit(group, asymmetric, 4, DType::f32);
      EXPECT_EQ(grid.value(grid.code(0.0F)), 0.0F) << group.name;
    }
  }
}

// Q(Q(x)) = Q(x). With FP16 scales reach * scale is exact and divides back exactly; with FP32 ones
// it may round, which moves the scale by one unit in its last place and no code.
TEST(GridTest, SymmetricQuantizationIsIdempotent) {
  for (const Group& group : groups()) {
    for (int bits = 2; bits <= 8; ++bits) {
      for (const DType scales : {DType::f32, DType::f16}) {
        if (scales == DType::f16 && group.name == "huge") continue;
        const Grid first = fit(group, false, bits, scales);
        const std::vector<float> once = snapped(first, group.values);
        const Grid second = fit({group.name, once}, false, bits, scales);
        for (const float x : once) ASSERT_EQ(second.code(x), first.code(x)) << group.name;
        if (first.code(largest_magnitude(group.values.data(),
                                         static_cast<std::int64_t>(group.values.size()))) !=
            first.high) {
          continue;  // the scale is at its floor and the group does not fill the grid
        }
        if (scales == DType::f16) {
          ASSERT_EQ(second.scale, first.scale) << group.name << ", " << bits;
        } else {
          ASSERT_NEAR(second.scale, first.scale, first.scale * FLT_EPSILON) << group.name;
        }
      }
    }
  }
}

// An asymmetric group is a fixed point where its codes reach both ends. (A group from -0.5 to 14.5
// steps does not: both ends are ties, and 0 and 14 span one step less.)
TEST(GridTest, AsymmetricQuantizationIsIdempotentOnFullGrids) {
  int full = 0;
  for (const Group& group : groups()) {
    for (int bits = 2; bits <= 8; ++bits) {
      const Grid first = fit(group, true, bits, DType::f32);
      const std::vector<float> once = snapped(first, group.values);
      const Extremes range = extremes(once.data(), static_cast<std::int64_t>(once.size()));
      const int low = first.code(std::min(range.min, 0.0F));
      const int high = first.code(std::max(range.max, 0.0F));
      if (low != first.low || high != first.high) continue;
      ++full;
      const Grid second = fit({group.name, once}, true, bits, DType::f32);
      ASSERT_EQ(second.zero, first.zero) << group.name << ", " << bits;
      ASSERT_NEAR(second.scale, first.scale, 2 * first.scale * FLT_EPSILON) << group.name;
      for (const float x : once) ASSERT_EQ(second.code(x), first.code(x)) << group.name;
    }
  }
  EXPECT_GT(full, 1000);
}

TEST(GridTest, RefusesRangesThatAreNotFinite) {
  for (const float bad : {kNan, kInfinity}) {
    EXPECT_THROW(symmetric_grid(bad, 8, DType::f32), InputError);
    EXPECT_THROW(asymmetric_grid(-1.0F, bad, 8, DType::f32), InputError);
    EXPECT_THROW(asymmetric_grid(-bad, 1.0F, 8, DType::f32), InputError);
  }
}

TEST(GridTest, RefusesF16ScalesThatOverflow) {
  EXPECT_THROW(symmetric_grid(65505.0F * 7, 4, DType::f16), InputError);
  EXPECT_NO_THROW(symmetric_grid(65504.0F * 7, 4, DType::f16));
}

// Two bits over [-2.9e38, 3e38]: the upper end would stand for 3.9e38, which FP32 does not have.
TEST(GridTest, RefusesGridsThatReachBeyondF32) {
  EXPECT_THROW(asymmetric_grid(-2.9e38F, 3e38F, 2, DType::f32), InputError);
  EXPECT_THROW(asymmetric_grid(-FLT_MAX, FLT_MAX, 2, DType::f32), InputError);
  EXPECT_NO_THROW(asymmetric_grid(-1.6e38F, 1.6e38F, 8, DType::f32));
}

TEST(GridTest, BlockFormGivesTheCodesOfTheRule) {
  for (const Group& group : groups()) {
    for (const bool asymmetric : {false, true}) {
      for (int bits = 2; bits <= 8; ++bits) {
        const Grid grid = fit(group, asymmetric, bits, DType::f32);
        // The group, every tie and its neighbours, values far outside, and what is no number.
        std::vector<float> values = group.values;
        for (int code = -2; code < (1 << bits) + 2; ++code) {
          const float tie = (static_cast<float>(code - grid.zero) + 0.5F) * grid.scale;
          values.insert(values.end(),
                        {tie, std::nextafter(tie, -kInfinity), std::nextafter(tie, kInfinity)});
        }
        values.insert(values.end(), {FLT_MAX, -FLT_MAX, kInfinity, -kInfinity, kNan, -kNan, 5e6F,
                                     -5e6F, FLT_TRUE_MIN, -FLT_TRUE_MIN, -0.0F});
        std::vector<std::uint8_t> codes(values.size());
        quantize_block(values.data(), static_cast<std::int64_t>(values.size()), grid, codes.data());
        for (std::size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(codes[i], grid.code(values[i]))
              << group.name << ", " << bits << " bits, asymmetric " << asymmetric << ", "
              << values[i];
        }
      }
    }
  }
}

TEST(QuantizeRowTest, FollowsTheSymmetricGrid) {
  for (const Group& group : groups()) {
    const Grid grid = fit(group, false, 8, DType::f32);
    std::vector<std::int8_t> codes(group.values.size());
    const float scale =
        quantize_row(group.values.data(), static_cast<std::int64_t>(codes.size()), codes.data());
    EXPECT_EQ(scale, grid.scale) << group.name;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      ASSERT_EQ(codes[i], grid.code(group.values[i]) - grid.zero) << group.name;
      ASSERT_GE(codes[i], -127) << group.name;
    }
  }
}

struct BlockedRow {
  std::vector<int> codes;
  std::vector<float> scales;
};

BlockedRow quantize_blocked(const std::vector<float>& row, std::int64_t block) {
  const auto k = static_cast<std::int64_t>(row.size());
  std::vector<std::int8_t> codes(row.size());
  BlockedRow result;
  result.scales.resize(static_cast<std::size_t>((k + block - 1) / block));
  quantize_row_blocked(row.data(), k, block, codes.data(), result.scales.data());
  result.codes.assign(codes.begin(), codes.end());
  return result;
}

// Scales of 2 / 127 and of 1: steps of 1/2 round to the even code. The last block is short.
TEST(QuantizeRowBlockedTest, WorkedExample) {
  const BlockedRow row = quantize_blocked({1.0F, -2.0F, 0.5F, 0.0F, 127.0F, -0.5F, 1.5F, 2.5F,  //
                                           -3.0F, 1.0F},
                                          4);
  EXPECT_THAT(row.codes, ElementsAre(64, -127, 32, 0, 127, 0, 2, 2, -127, 42));
  EXPECT_THAT(row.scales, ElementsAre(2.0F / 127, 1.0F, 3.0F / 127));
}

TEST(QuantizeRowBlockedTest, MultipliesByTheRoundedInverse) {
  int differ = 0;
  for (const Group& group : groups()) {
    const auto n = static_cast<std::int64_t>(group.values.size());
    const float max_abs = largest_magnitude(group.values.data(), n);
    const BlockedRow row = quantize_blocked(group.values, n);
    EXPECT_EQ(row.scales.front(), max_abs / 127) << group.name;
    const float inverse = 127 / max_abs;
    for (std::size_t i = 0; i < group.values.size() && std::isfinite(inverse); ++i) {
      const volatile float steps = group.values[i] * inverse;  // rounded before it is rounded again
      ASSERT_EQ(row.codes[i], static_cast<int>(std::nearbyint(steps))) << group.name;
    }
  }
  // Next to ties a division gives another code now and then.
  for (int i = 1; i < 4000; ++i) {
    const float largest = 1.0F + 0.001F * static_cast<float>(i);
    const float tie = 62.5F * (largest / 127);
    const BlockedRow row = quantize_blocked({largest, tie}, 2);
    differ += row.codes[1] != static_cast<int>(std::nearbyint(tie / (largest / 127)));
  }
  EXPECT_GT(differ, 0);
}

TEST(QuantizeRowBlockedTest, BlocksDoNotSeeEachOther) {
  std::vector<float> row(100);
  fill_normal(row, 7, 1);
  const BlockedRow whole = quantize_blocked(row, 32);
  row[3] = 1e6F;
  const BlockedRow other = quantize_blocked(row, 32);
  EXPECT_NE(other.scales[0], whole.scales[0]);
  for (std::size_t b = 1; b < 4; ++b) EXPECT_EQ(other.scales[b], whole.scales[b]);
  for (std::size_t i = 32; i < 100; ++i) EXPECT_EQ(other.codes[i], whole.codes[i]);
}

// 127 / amax is infinite below 2^-128 * 127, where a product would be no number.
TEST(QuantizeRowBlockedTest, ZerosAndWhatIsNearlyZeroHaveZeroCodes) {
  for (const float tiny : {0.0F, -0.0F, FLT_TRUE_MIN, 1e-41F, FLT_MIN, 3.7e-37F}) {
    const BlockedRow row = quantize_blocked({tiny, -tiny, 0.0F}, 4);
    EXPECT_THAT(row.codes, ElementsAre(0, 0, 0)) << tiny;
    EXPECT_EQ(row.scales.front(), std::fabs(tiny) / 127) << tiny;
  }
  EXPECT_THAT(quantize_blocked({4e-37F, -4e-37F, 0.0F}, 4).codes, ElementsAre(127, -127, 0));
}

TEST(QuantizeRowBlockedTest, RefusesWhatIsNotFinite) {
  for (const float bad : {kNan, kInfinity, -kInfinity, FLT_MAX})
    EXPECT_THROW(quantize_blocked({1.0F, 2.0F, bad}, 2), InputError) << bad;
  EXPECT_THAT(quantize_blocked({3e38F, -3e38F}, 2).codes, ElementsAre(127, -127));
}

TEST(QuantizeRowTest, RefusesValuesThatAreNotFinite) {
  std::vector<std::int8_t> codes(3);
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const std::vector<float> row{1.0F, bad, 2.0F};
    EXPECT_THROW(quantize_row(row.data(), 3, codes.data()), InputError) << bad;
  }
}

}  // namespace
}  // namespace qassay
