#include "quantizers/round_to_nearest.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/distortion.hpp"
#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/grid.hpp"
#include "core/half.hpp"
#include "core/seed.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Every kind of scheme, blocks that divide k and such that do not.
const std::vector<std::string> kSchemes{"FP32",
                                        "FP16",
                                        "BF16",
                                        "W8A8",
                                        "W8A16-asym",
                                        "W8A8-tensor",
                                        "W8A8-tensor-asym",
                                        "W4A16",
                                        "W4A16-g128",
                                        "W4A16-g32-asym",
                                        "W4A8-g64",
                                        "W2A16-g8-asym",
                                        "W3A16-g64",
                                        "W8A16-g32-asym",
                                        "W5A16-g100"};

std::vector<float> normal_weights(std::size_t size, const std::string& name) {
  std::vector<float> weights(size);
  fill_normal(weights, seed_from_name(name), 0.02F);
  return weights;
}

double sqnr(ConstMatrix weights, const std::string& scheme) {
  const std::vector<float> values = dequantize(round_to_nearest(weights, parse_scheme(scheme)));
  return distortion({values.data(), weights.rows, weights.cols}, weights).sqnr_db;
}

/// The definition, element by element.
void expect_follows_the_grid(ConstMatrix weights, const QuantMatrix& quantized,
                             const std::string& name) {
  const NumberFormat& format = quantized.scheme.weights;
  const std::int64_t block = format.per == Granularity::block ? format.block : weights.cols;
  for (std::int64_t row = 0; row < weights.rows; ++row) {
    for (std::int64_t begin = 0; begin < weights.cols; begin += block) {
      const std::int64_t size = std::min(block, weights.cols - begin);
      const float* x = weights.row(row) + begin;
      const Extremes range = extremes(x, size);
      const Grid grid =
          format.zero_points
              ? asymmetric_grid(range.min, range.max, format.bits, format.scales)
              : symmetric_grid(largest_magnitude(x, size), format.bits, format.scales);
      const std::size_t index = quantized.scale_index(row, begin);
      ASSERT_EQ(quantized.scales.at(index), grid.scale) << name;
      ASSERT_EQ(quantized.zero_point(index), grid.zero) << name;
      for (std::int64_t i = 0; i < size; ++i) {
        ASSERT_EQ(quantized.codes.at(static_cast<std::size_t>(row * weights.cols + begin + i)),
                  grid.code(x[i]))
            << name << ", row " << row << ", column " << begin + i;
      }
    }
  }
}

TEST(RoundToNearestTest, EveryCodeFollowsTheGrid) {
  for (const std::int64_t k : {1, 7, 31, 32, 33, 100, 257}) {
    const std::int64_t n = 5, stride = k + 3;
    const std::vector<float> storage = normal_weights(static_cast<std::size_t>(n * stride), "grid");
    const ConstMatrix weights(storage.data(), n, k, stride);
    for (const std::string& name : kSchemes) {
      const Scheme scheme = parse_scheme(name);
      if (scheme.weights.kind != Kind::integer || scheme.weights.per == Granularity::tensor)
        continue;
      const QuantMatrix quantized = round_to_nearest(weights, scheme);
      ASSERT_EQ(quantized.scales.size(),
                static_cast<std::size_t>(n * blocks_per_row(scheme.weights, k)))
          << name;
      ASSERT_EQ(quantized.zero_points.empty(), !scheme.weights.zero_points) << name;
      expect_follows_the_grid(weights, quantized, name);
    }
  }
}

TEST(RoundToNearestTest, ATensorHasOneGridOverAllRows) {
  const std::vector<float> weights{1, -2, 3, 0, 0.5F, -6.35F};
  const QuantMatrix symmetric =
      round_to_nearest({weights.data(), 2, 3}, parse_scheme("W8A8-tensor"));
  ASSERT_EQ(symmetric.scales.size(), 1U);
  EXPECT_EQ(symmetric.scales[0], 6.35F / 127);
  EXPECT_EQ(symmetric.codes[5], 1);
  const QuantMatrix asymmetric =
      round_to_nearest({weights.data(), 2, 3}, parse_scheme("W8A8-tensor-asym"));
  ASSERT_EQ(asymmetric.zero_points.size(), 1U);
  EXPECT_EQ(asymmetric.codes[5], 0);
  EXPECT_EQ(asymmetric.codes[2], 255);
  EXPECT_EQ(asymmetric.codes[3], asymmetric.zero_points[0]);
}

TEST(RoundToNearestTest, FloatingFormatsAreConverted) {
  const std::vector<float> weights{1.0F, -0.1F, 65504.0F, 1e-7F, 3.1415927F, -0.0F};
  const ConstMatrix matrix(weights.data(), 2, 3);
  EXPECT_EQ(round_to_nearest(matrix, parse_scheme("FP32")).values, weights);
  const QuantMatrix halves = round_to_nearest(matrix, parse_scheme("FP16"));
  const QuantMatrix brains = round_to_nearest(matrix, parse_scheme("BF16"));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(halves.halves.at(i), f32_to_f16(weights[i]));
    EXPECT_EQ(brains.halves.at(i), f32_to_bf16(weights[i]));
  }
}

TEST(RoundToNearestTest, FillsOnlyTheArrayOfItsKind) {
  const std::vector<float> weights = normal_weights(64, "arrays");
  for (const std::string& name : kSchemes) {
    const QuantMatrix quantized = round_to_nearest({weights.data(), 2, 32}, parse_scheme(name));
    const Kind kind = quantized.scheme.weights.kind;
    EXPECT_EQ(quantized.n, 2);
    EXPECT_EQ(quantized.k, 32);
    EXPECT_EQ(quantized.values.size(), kind == Kind::f32 ? 64U : 0U) << name;
    EXPECT_EQ(quantized.halves.size(), kind == Kind::f16 || kind == Kind::bf16 ? 64U : 0U) << name;
    EXPECT_EQ(quantized.codes.size(), kind == Kind::integer ? 64U : 0U) << name;
    EXPECT_EQ(quantized.scales.empty(), kind != Kind::integer) << name;
  }
}

TEST(RoundToNearestTest, DequantizeGivesTheValuesOfTheMatrix) {
  const std::int64_t n = 4, k = 77;
  const std::vector<float> weights = normal_weights(static_cast<std::size_t>(n * k), "values");
  for (const std::string& name : kSchemes) {
    const QuantMatrix quantized = round_to_nearest({weights.data(), n, k}, parse_scheme(name));
    const std::vector<float> values = dequantize(quantized);
    ASSERT_EQ(values.size(), weights.size());
    for (std::int64_t row = 0; row < n; ++row) {
      for (std::int64_t col = 0; col < k; ++col) {
        ASSERT_EQ(values[static_cast<std::size_t>(row * k + col)], quantized.value(row, col))
            << name;
      }
    }
  }
}

TEST(RoundToNearestTest, DoesNotDependOnThreads) {
  const std::int64_t n = 33, k = 130;
  const std::vector<float> weights = normal_weights(static_cast<std::size_t>(n * k), "threads");
  const int before = omp_get_max_threads();
  for (const std::string& name : kSchemes) {
    omp_set_num_threads(1);
    const QuantMatrix one = round_to_nearest({weights.data(), n, k}, parse_scheme(name));
    omp_set_num_threads(4);
    const QuantMatrix four = round_to_nearest({weights.data(), n, k}, parse_scheme(name));
    EXPECT_EQ(one.codes, four.codes) << name;
    EXPECT_EQ(one.halves, four.halves) << name;
    EXPECT_EQ(one.scales, four.scales) << name;
    EXPECT_EQ(one.zero_points, four.zero_points) << name;
  }
  omp_set_num_threads(before);
}

// What was quantized once is on its grid: doing it again changes no code. For asymmetric formats
// that holds where a block's codes reach both ends, which its own extremes nearly always do.
TEST(RoundToNearestTest, QuantizedWeightsAreAFixedPoint) {
  const std::int64_t n = 16, k = 256;
  const std::vector<float> weights = normal_weights(static_cast<std::size_t>(n * k), "fixed point");
  for (const std::string& name : kSchemes) {
    const Scheme scheme = parse_scheme(name);
    const QuantMatrix once = round_to_nearest({weights.data(), n, k}, scheme);
    const std::vector<float> values = dequantize(once);
    const QuantMatrix twice = round_to_nearest({values.data(), n, k}, scheme);
    EXPECT_EQ(twice.values, once.values) << name;
    EXPECT_EQ(twice.halves, once.halves) << name;
    if (!scheme.weights.zero_points) {
      EXPECT_EQ(twice.codes, once.codes) << name;
      if (scheme.weights.scales == DType::f16) {
        EXPECT_EQ(twice.scales, once.scales) << name;
      }
    }
    EXPECT_GT(distortion({dequantize(twice).data(), n, k}, {values.data(), n, k}).sqnr_db, 40)
        << name;
  }
}

std::string refusal(const std::vector<float>& weights, std::int64_t k, const std::string& scheme) {
  try {
    round_to_nearest({weights.data(), static_cast<std::int64_t>(weights.size()) / k, k},
                     parse_scheme(scheme));
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(RoundToNearestTest, NamesTheFirstWeightThatIsNotFinite) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> weights(40 * 10, 0.5F);
    weights[7 * 10 + 3] = bad;
    weights[7 * 10 + 4] = kNan;
    weights[31 * 10] = bad;
    for (const std::string& name : kSchemes) {
      EXPECT_THAT(refusal(weights, 10, name), HasSubstr("weights, row 7, column 3: ")) << name;
      EXPECT_THAT(refusal(weights, 10, name), HasSubstr("not a finite number")) << name;
    }
  }
}

TEST(RoundToNearestTest, NamesWeightsThatOverflow) {
  std::vector<float> weights(6, 1.0F);
  weights[4] = -65520.0F;  // rounds to infinity; 65519.99 still rounds to 65504
  EXPECT_THAT(refusal(weights, 3, "FP16"),
              HasSubstr("weights, row 1, column 1: -65520 overflows FP16"));
  EXPECT_EQ(refusal(weights, 3, "BF16"), "accepted");
  weights[4] = 65519.99F;
  EXPECT_EQ(refusal(weights, 3, "FP16"), "accepted");
  weights[4] = std::numeric_limits<float>::max();
  EXPECT_THAT(refusal(weights, 3, "BF16"), HasSubstr("row 1, column 1"));
  weights[4] = 1e38F;
  EXPECT_EQ(refusal(weights, 3, "BF16"), "accepted");
  EXPECT_EQ(refusal(weights, 3, "W8A8-asym"), "accepted");
}

TEST(RoundToNearestTest, NamesTheRowWhoseScaleOverflows) {
  std::vector<float> weights(64, 1.0F);
  weights[40] = 1e6F;
  EXPECT_THAT(refusal(weights, 32, "W4A16-g8"),
              HasSubstr("weights, row 1: a scale of 142857.14 does not fit in FP16"));
  EXPECT_EQ(refusal(weights, 32, "W4A16"), "accepted");
}

TEST(RoundToNearestTest, RefusesEmptyWeights) {
  EXPECT_THROW(round_to_nearest({nullptr, 0, 4}, parse_scheme("W8A8")), InputError);
  EXPECT_THROW(round_to_nearest({nullptr, 4, 0}, parse_scheme("W8A8")), InputError);
}

TEST(SqnrTest, EveryBitIsWorthSixDecibels) {
  const std::int64_t n = 64, k = 1024;
  const std::vector<float> storage = normal_weights(static_cast<std::size_t>(n * k), "bits");
  const ConstMatrix weights(storage.data(), n, k);
  for (int bits = 5; bits <= 8; ++bits) {
    const double gain = sqnr(weights, fmt::format("W{}A16-asym", bits)) -
                        sqnr(weights, fmt::format("W{}A16-asym", bits - 1));
    EXPECT_NEAR(gain, 6.02, 0.6) << bits;  // steps are 2^bits - 1, not 2^bits
  }
}

TEST(SqnrTest, SmallerGroupsDoNotLoseOnAverage) {
  const std::int64_t n = 128, k = 1024;
  std::vector<float> storage = normal_weights(static_cast<std::size_t>(n * k), "groups");
  for (float& weight : storage) weight *= std::fabs(weight) * 50;  // heavy tails
  const ConstMatrix weights(storage.data(), n, k);
  for (const char* zero : {"", "-asym"}) {
    double last = sqnr(weights, fmt::format("W4A16-tensor{}", zero));
    for (const char* per : {"", "-g256", "-g128", "-g64", "-g32", "-g16"}) {
      const double here = sqnr(weights, fmt::format("W4A16{}{}", per, zero));
      EXPECT_GE(here, last) << per << zero;
      last = here;
    }
  }
}

TEST(SqnrTest, ChannelsOfUnequalSizeNeedTheirOwnScales) {
  const std::int64_t n = 32, k = 512;
  std::vector<float> storage = normal_weights(static_cast<std::size_t>(n * k), "channels");
  for (std::int64_t i = 0; i < n * k; ++i) {
    storage[static_cast<std::size_t>(i)] *= std::ldexp(1.0F, static_cast<int>(i / k % 8));
  }
  const ConstMatrix weights(storage.data(), n, k);
  const std::vector<float> tensor =
      dequantize(round_to_nearest(weights, parse_scheme("W8A8-tensor")));
  const std::vector<float> channel = dequantize(round_to_nearest(weights, parse_scheme("W8A8")));
  // The smallest channels: seven bits of the tensor's eight are lost on them.
  const ConstMatrix first(weights.row(0), 1, k);
  EXPECT_LT(distortion({tensor.data(), 1, k}, first).sqnr_db, 10);
  EXPECT_GT(distortion({channel.data(), 1, k}, first).sqnr_db, 40);
}

}  // namespace
}  // namespace qassay
