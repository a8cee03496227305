#include "quantizers/channel_scaling.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/compare.hpp"
#include "core/error.hpp"
#include "core/half.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/awq_clip.hpp"
#include "quantizers/layer_error.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/quantizers/layer_sample.hpp"

namespace qassay {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

/// Two layers of unequal heights that share an input with a few large channels.
struct SharedInput {
  LayerSample first, second;
  InputStatistics statistics;

  SharedInput(std::int64_t k, const std::string& name, const std::vector<std::int64_t>& zeros = {})
      : first(24, k, 300, 0.5, name), second(40, k, 1, 0, name + "/second"), statistics(k) {
    for (std::int64_t i = 0; i < k; i += 17) first.scale_input(i, 30);
    for (const std::int64_t zero : zeros) first.scale_input(zero, 0);
    statistics.add(first.x());
  }
  std::vector<ConstMatrix> layers() const { return {first.w(), second.w()}; }
};

std::vector<float> largest_columns(ConstMatrix x) {
  std::vector<float> largest(static_cast<std::size_t>(x.cols));
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      float& there = largest[static_cast<std::size_t>(j)];
      there = std::max(there, std::fabs(x.row(i)[j]));
    }
  }
  return largest;
}

// P16. A power, a quotient and a product, each off by half a unit in the last place of a float.
constexpr float kThreeRoundings = 3 * 0x1p-23F;

TEST(SmoothQuantTest, AlphaSaysWhoTakesTheOutliers) {
  const SharedInput input(100, "alpha");
  const std::vector<float> x = input.statistics.largest_magnitudes();
  std::vector<float> w = largest_columns(input.first.w());
  const std::vector<float> other = largest_columns(input.second.w());
  for (std::size_t j = 0; j < w.size(); ++j) w[j] = std::max(w[j], other[j]);

  const std::vector<float> all = smoothquant_scales(x, input.layers(), 1);
  const std::vector<float> none = smoothquant_scales(x, input.layers(), 0);
  const std::vector<float> half = smoothquant_scales(x, input.layers(), 0.5);
  for (std::size_t j = 0; j < w.size(); ++j) {
    EXPECT_EQ(x[j] / all[j], 1) << j;
    EXPECT_NEAR(w[j] * none[j], 1, kThreeRoundings) << j;
    EXPECT_NEAR(x[j] / half[j] / (w[j] * half[j]), 1, 2 * kThreeRoundings) << j;
  }
}

TEST(SmoothQuantTest, SilentChannelsStayAsTheyAre) {
  SharedInput input(50, "silent", {7});
  for (LayerSample* layer : {&input.first, &input.second}) {
    for (std::int64_t i = 0; i < layer->n; ++i) {
      layer->weights[static_cast<std::size_t>(i * layer->k + 9)] = 0;
    }
  }
  for (const double alpha : {0.0, 0.5, 1.0}) {
    const std::vector<float> scales =
        smoothquant_scales(input.statistics.largest_magnitudes(), input.layers(), alpha);
    EXPECT_EQ(scales[7], 1);
    EXPECT_EQ(scales[9], 1);
    for (const float scale : scales) EXPECT_TRUE(std::isfinite(scale) && scale > 0);
  }
}

TEST(SmoothQuantTest, ScaledWeightsStayInsideFp16) {
  const std::vector<float> weights{1e-9F, 100, 30000, 1e-30F};
  const std::vector<float> inputs{1e20F, 1e8F, 1e8F, 1e-30F};
  const std::vector<ConstMatrix> layers{{weights.data(), 1, 4}};
  for (const double alpha : {0.0, 0.5, 1.0}) {
    const std::vector<float> scales = smoothquant_scales(inputs, layers, alpha);
    for (std::size_t j = 0; j < scales.size(); ++j) {
      EXPECT_TRUE(std::isfinite(scales[j]));
      EXPECT_GE(scales[j], 0.99e-5F);
      EXPECT_LE(scales[j] * weights[j], std::max(kF16Max / 4, weights[j]) * (1 + kThreeRoundings));
    }
  }
}

// P15, by the norms of inputs and weights: one rounding of each operand.
TEST(ChannelScalingTest, IsTheSameFunction) {
  const SharedInput input(64, "same function");
  const std::vector<float> scales =
      smoothquant_scales(input.statistics.largest_magnitudes(), input.layers(), 0.7);
  const std::vector<float> w = scaled_columns(input.first.w(), scales);
  const std::vector<float> x = unscaled_columns(input.first.x(), scales);
  for (std::int64_t i = 0; i < input.first.m; ++i) {
    for (std::int64_t j = 0; j < input.first.n; ++j) {
      double plain = 0, scaled = 0, magnitudes = 0;
      for (std::int64_t l = 0; l < 64; ++l) {
        const double term = double{input.first.x().row(i)[l]} * input.first.w().row(j)[l];
        plain += term;
        magnitudes += std::fabs(term);
        scaled += double{x[static_cast<std::size_t>(i * 64 + l)]} *
                  w[static_cast<std::size_t>(j * 64 + l)];
      }
      ASSERT_NEAR(scaled, plain, 2.01 * kF32Roundoff * magnitudes);
    }
  }
}

class AwqTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

/// The loss by its definition, in double.
double defined_loss(const SharedInput& input, const std::vector<float>& scales,
                    const std::string& scheme) {
  double sum = 0, count = 0;
  const ConstMatrix x = input.first.x();
  for (const ConstMatrix& w : input.layers()) {
    const std::vector<float> scaled = scaled_columns(w, scales);
    const std::vector<float> values =
        dequantize(round_to_nearest({scaled.data(), w.rows, w.cols}, parse_scheme(scheme)));
    for (std::int64_t i = 0; i < x.rows; ++i) {
      for (std::int64_t j = 0; j < w.rows; ++j) {
        double error = 0;
        for (std::int64_t l = 0; l < w.cols; ++l) {
          const auto at = static_cast<std::size_t>(l);
          error +=
              x.row(i)[l] *
              (double{values[static_cast<std::size_t>(j * w.cols + l)]} / scales[at] - w.row(j)[l]);
        }
        sum += error * error;
        count += 1;
      }
    }
  }
  return sum / count;
}

// P14: nothing is ever lost, and what is reported is what is so.
TEST_F(AwqTest, LosesNoMoreThanRoundingToNearest) {
  const SharedInput input(136, "awq");
  const std::vector<float> ones(136, 1.0F);
  for (const char* scheme : {"W4A16-g32-asym", "W4A16", "W3A16-g128", "W8A8"}) {
    for (const bool duo : {false, true}) {
      const AwqScales found =
          awq_scales(input.statistics, input.layers(), parse_scheme(scheme), duo);
      EXPECT_LE(found.loss, found.nearest_loss) << scheme;
      // Differences of weights in float: 2^-24 of the weight, a step is 2^-8 of it or more.
      EXPECT_NEAR(found.loss / defined_loss(input, found.scales, scheme), 1, 1e-3) << scheme;
      EXPECT_NEAR(found.nearest_loss / defined_loss(input, ones, scheme), 1, 1e-3) << scheme;
      EXPECT_GT(found.ratio, 0) << scheme;
      EXPECT_LT(found.loss, 0.8 * found.nearest_loss) << scheme;
    }
  }
}

TEST_F(AwqTest, KeepsRoundingToNearestWhereChannelsAreEqual) {
  LayerSample layer(16, 64, 200, 0, "equal");
  for (float& x : layer.inputs) x = x < 0 ? -1.0F : 1.0F;
  InputStatistics statistics(layer.k);
  statistics.add(layer.x());
  const std::vector<ConstMatrix> layers{layer.w()};
  const AwqScales found = awq_scales(statistics, layers, parse_scheme("W4A16-g32"));
  EXPECT_EQ(found.ratio, 0);
  EXPECT_THAT(found.scales, Each(1.0F));
  EXPECT_EQ(found.loss, found.nearest_loss);
}

// Large inputs deserve fine weights: the ratio of the scales is that of the published formula.
TEST_F(AwqTest, ScalesArePowersOfMeanMagnitudes) {
  const SharedInput input(102, "formula");
  const AwqScales found =
      awq_scales(input.statistics, input.layers(), parse_scheme("W4A16-g32-asym"));
  ASSERT_GT(found.ratio, 0);
  const std::vector<float> means = input.statistics.mean_magnitudes();
  const auto [least, most] = std::minmax_element(found.scales.begin(), found.scales.end());
  EXPECT_NEAR(*least * *most, 1, kThreeRoundings);
  for (std::size_t j = 1; j < means.size(); ++j) {
    EXPECT_NEAR(std::log(found.scales[j] / found.scales[0]),
                found.ratio * std::log(means[j] / means[0]), 1e-5);
  }
}

TEST_F(AwqTest, SilentChannelsAndHugeWeightsAreSafe) {
  SharedInput input(60, "awq silent", {3, 44});
  input.first.weights[5] = 30000;
  for (const bool duo : {false, true}) {
    const AwqScales found =
        awq_scales(input.statistics, input.layers(), parse_scheme("W4A16-g32"), duo);
    EXPECT_EQ(found.scales[3], 1);
    EXPECT_EQ(found.scales[44], 1);
    EXPECT_LE(found.scales[5], 1);
    for (const float scale : found.scales) EXPECT_TRUE(std::isfinite(scale) && scale > 0);
  }
}

TEST_F(AwqTest, DoesNotDependOnThreads) {
  const SharedInput input(136, "awq threads");
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const AwqScales one = awq_scales(input.statistics, input.layers(), parse_scheme("W4A16-g32"));
  const QuantMatrix one_clip =
      quantize_awq_clipped(input.first.w(), input.first.x(), parse_scheme("W4A16-g32"));
  omp_set_num_threads(4);
  const AwqScales four = awq_scales(input.statistics, input.layers(), parse_scheme("W4A16-g32"));
  const QuantMatrix four_clip =
      quantize_awq_clipped(input.first.w(), input.first.x(), parse_scheme("W4A16-g32"));
  omp_set_num_threads(before);
  EXPECT_EQ(one.scales, four.scales);
  EXPECT_EQ(one.loss, four.loss);
  EXPECT_EQ(one_clip.codes, four_clip.codes);
  EXPECT_EQ(one_clip.scales, four_clip.scales);
}

/// The error that a group of a row makes in the output, in double.
double group_error(const LayerSample& layer, const QuantMatrix& quantized, std::int64_t row,
                   std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (std::int64_t i = 0; i < layer.m; ++i) {
    double error = 0;
    for (std::int64_t j = begin; j < end; ++j) {
      error += layer.x().row(i)[j] * (double{layer.w().row(row)[j]} - quantized.value(row, j));
    }
    sum += error * error;
  }
  return sum;
}

TEST_F(AwqTest, NoClippedGroupIsWorseThanRoundingToNearest) {
  // More rows than columns in a group, and fewer.
  for (const std::int64_t m : {40, 300}) {
    const LayerSample layer(10, 150, m, 0.5, "awq clip");
    for (const std::string scheme :
         {"W3A16-g32-asym", "W4A16-g64", "W4A16", "W2A16-g32", "W3A16-tensor"}) {
      const NumberFormat format = parse_scheme(scheme).weights;
      const QuantMatrix found = quantize_awq_clipped(layer.w(), layer.x(), parse_scheme(scheme));
      const QuantMatrix nearest = round_to_nearest(layer.w(), parse_scheme(scheme));
      const std::int64_t block = format.per == Granularity::block ? format.block : layer.k;
      double found_sum = 0, nearest_sum = 0;
      for (std::int64_t row = 0; row < layer.n; ++row) {
        for (std::int64_t begin = 0; begin < layer.k; begin += block) {
          const std::int64_t end = std::min(begin + block, layer.k);
          const double here = group_error(layer, found, row, begin, end);
          const double there = group_error(layer, nearest, row, begin, end);
          found_sum += here;
          nearest_sum += there;
          if (format.per != Granularity::tensor) {
            EXPECT_LE(here, there * (1 + 1e-3)) << scheme;  // products in float decide
          }
        }
      }
      EXPECT_LT(found_sum, nearest_sum) << scheme << " " << m;
    }
  }
}

template <typename Work>
std::string awq_refusal(const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(AwqTest, RefusesBadInput) {
  SharedInput input(40, "awq refused");
  const Scheme scheme = parse_scheme("W4A16-g32");
  const InputStatistics none(40);
  EXPECT_THAT(awq_refusal([&] { awq_scales(none, input.layers(), scheme); }),
              HasSubstr("calibration: no rows"));
  EXPECT_THAT(awq_refusal([&] { quantize_awq_clipped(input.first.w(), none.sample(), scheme); }),
              HasSubstr("calibration: no rows"));
  EXPECT_THAT(awq_refusal([&] {
                quantize_awq_clipped(input.first.w(), input.first.x(), parse_scheme("FP16"));
              }),
              HasSubstr("scheme: the weights of FP16 are no integers"));
  input.second.weights[40 + 2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(awq_refusal([&] { awq_scales(input.statistics, input.layers(), scheme); }),
              HasSubstr("weights, row 1, column 2: nan"));
  EXPECT_THAT(
      awq_refusal([&] { smoothquant_scales(std::vector<float>(40, 1.0F), input.layers(), 0.5); }),
      HasSubstr("weights, row 1, column 2: nan"));
}

}  // namespace
}  // namespace qassay
