#include <fmt/format.h>
#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/grid.hpp"
#include "core/seed.hpp"
#include "quantizers/clip.hpp"
#include "quantizers/hqq.hpp"
#include "quantizers/layer_error.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

/// Methods that look at nothing but the weights, and what each makes small.
struct DataFreeMethod {
  const char* name;
  QuantMatrix (*quantize)(ConstMatrix weights, const Scheme& scheme);
  double power;
};
constexpr DataFreeMethod kDataFree[] = {{"mse", quantize_clipped, 2}, {"hqq", hqq, 0.7}};

const std::vector<std::string> kDataFreeSchemes{
    "W8A8",      "W4A16",          "W4A16-asym", "W3A16-tensor",   "W4A16-tensor-asym",
    "W4A16-g32", "W4A16-g32-asym", "W2A16-g64",  "W5A16-g100-asym"};

/// Weights with heavy tails: the product of two normal numbers.
std::vector<float> heavy_weights(std::int64_t size, const std::string& name) {
  std::vector<float> weights(static_cast<std::size_t>(size)), other(weights.size());
  fill_normal(weights, seed_from_name(name), 0.02F);
  fill_normal(other, seed_from_name(name + "/tails"), 1.0F);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= other[i];
  return weights;
}

/// The sum of |error|^power over a part of a row, or over rows.
double power_sum(const QuantMatrix& quantized, ConstMatrix weights, double power, std::int64_t row,
                 std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    sum += std::pow(std::fabs(double{weights.row(row)[i]} - quantized.value(row, i)), power);
  }
  return sum;
}

// P07: of everything that has a grid of its own.
TEST(DataFreeTest, NoGridIsWorseThanRoundingToNearest) {
  const std::int64_t n = 12, k = 210;
  const std::vector<float> storage = heavy_weights(n * k, "never worse");
  const ConstMatrix weights(storage.data(), n, k);
  for (const auto& [name, quantize, power] : kDataFree) {
    for (const std::string& scheme : kDataFreeSchemes) {
      const NumberFormat format = parse_scheme(scheme).weights;
      const QuantMatrix found = quantize(weights, parse_scheme(scheme));
      const QuantMatrix nearest = round_to_nearest(weights, parse_scheme(scheme));
      const std::int64_t block = format.per == Granularity::block ? format.block : k;
      double found_sum = 0, nearest_sum = 0;
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t begin = 0; begin < k; begin += block) {
          const std::int64_t end = std::min(begin + block, k);
          const double here = power_sum(found, weights, power, row, begin, end);
          const double there = power_sum(nearest, weights, power, row, begin, end);
          found_sum += here;
          nearest_sum += there;
          if (format.per != Granularity::tensor) {
            // The rounding of the sums themselves, which hqq takes of errors in float.
            EXPECT_LE(here, there * (1 + 1e-6)) << name << " " << scheme << " row " << row;
          }
        }
      }
      EXPECT_LE(found_sum, nearest_sum * (1 + 1e-6)) << name << " " << scheme;
      if (format.bits <= 4) {
        EXPECT_LT(found_sum, nearest_sum) << name << " " << scheme;
      }
    }
  }
}

TEST(DataFreeTest, EveryWeightIsAtItsNearestCode) {
  const std::int64_t n = 5, k = 70;
  const std::vector<float> storage = heavy_weights(n * k, "nearest code");
  for (const auto& [name, quantize, power] : kDataFree) {
    for (const std::string& scheme : kDataFreeSchemes) {
      const QuantMatrix found = quantize({storage.data(), n, k}, parse_scheme(scheme));
      const int bits = found.scheme.weights.bits;
      for (std::int64_t row = 0; row < n; ++row) {
        for (std::int64_t i = 0; i < k; ++i) {
          const std::size_t index = found.scale_index(row, i);
          const Grid grid{.scale = found.scales[index],
                          .zero = found.zero_point(index),
                          .low = found.zero_points.empty() ? 1 : 0,
                          .high = (1 << bits) - 1};
          const auto at = static_cast<std::size_t>(row * k + i);
          ASSERT_EQ(found.codes[at], grid.code(storage[at])) << name << " " << scheme;
        }
      }
    }
  }
}

TEST(DataFreeTest, WeightsOnTheGridStayThere) {
  const std::int64_t n = 8, k = 256;
  std::vector<float> weights = heavy_weights(n * k, "fixed point");
  for (const auto& [name, quantize, power] : kDataFree) {
    for (const char* scheme : {"W4A16-g64", "W8A16-g32", "W3A16-g128"}) {
      const QuantMatrix once = round_to_nearest({weights.data(), n, k}, parse_scheme(scheme));
      weights = dequantize(once);
      const QuantMatrix twice = quantize({weights.data(), n, k}, parse_scheme(scheme));
      EXPECT_EQ(twice.codes, once.codes) << name << " " << scheme;
      EXPECT_EQ(twice.scales, once.scales) << name << " " << scheme;
    }
  }
}

TEST(DataFreeTest, DoesNotDependOnThreads) {
  const std::int64_t n = 33, k = 130;
  const std::vector<float> weights = heavy_weights(n * k, "threads");
  const int before = omp_get_max_threads();
  for (const auto& [name, quantize, power] : kDataFree) {
    for (const std::string& scheme : kDataFreeSchemes) {
      omp_set_num_threads(1);
      const QuantMatrix one = quantize({weights.data(), n, k}, parse_scheme(scheme));
      omp_set_num_threads(4);
      const QuantMatrix four = quantize({weights.data(), n, k}, parse_scheme(scheme));
      EXPECT_EQ(one.codes, four.codes) << name << " " << scheme;
      EXPECT_EQ(one.scales, four.scales) << name << " " << scheme;
      EXPECT_EQ(one.zero_points, four.zero_points) << name << " " << scheme;
    }
  }
  omp_set_num_threads(before);
}

TEST(DataFreeTest, TakesWeightsWithoutARange) {
  for (const auto& [name, quantize, power] : kDataFree) {
    for (const std::string& scheme : kDataFreeSchemes) {
      for (const float weight : {0.0F, 1.5F, -1e-30F, 60000.0F}) {
        const std::vector<float> weights(66, weight);
        const std::vector<float> nearest =
            dequantize(round_to_nearest({weights.data(), 2, 33}, parse_scheme(scheme)));
        const std::vector<float> found =
            dequantize(quantize({weights.data(), 2, 33}, parse_scheme(scheme)));
        for (std::size_t i = 0; i < weights.size(); ++i) {
          ASSERT_LE(std::fabs(found[i] - weight), std::fabs(nearest[i] - weight))
              << name << " " << scheme << " " << weight;
        }
      }
    }
  }
}

TEST(DataFreeTest, RefusesWhatRoundingRefuses) {
  std::vector<float> weights(64, 1.0F);
  for (const auto& [name, quantize, power] : kDataFree) {
    const auto refusal = [&, call = quantize](const char* scheme) -> std::string {
      try {
        call({weights.data(), 2, 32}, parse_scheme(scheme));
      } catch (const InputError& error) {
        return error.what();
      }
      return "accepted";
    };
    weights[40] = 1.0F;
    EXPECT_THAT(refusal("BF16"), HasSubstr("scheme: the weights of BF16 are no integers"));
    weights[40] = std::numeric_limits<float>::infinity();
    EXPECT_THAT(refusal("W4A16"), HasSubstr("weights, row 1, column 8: inf"));
    weights[40] = 1e7F;
    EXPECT_THAT(refusal("W4A16-g8"), HasSubstr("weights, row 1: a scale"));
  }
}

double data_free_sqnr(const QuantMatrix& quantized, const std::vector<float>& weights) {
  return weight_distortion({weights.data(), quantized.n, quantized.k}, quantized).sqnr_db;
}

// P06
TEST(ClipTest, ChannelsGainOverTensorsAndBlocksOverChannels) {
  const std::int64_t n = 64, k = 512;
  const std::vector<float> weights = heavy_weights(n * k, "granularity");
  for (const char* zero : {"", "-asym"}) {
    double last = -100;
    for (const char* per : {"-tensor", "", "-g128", "-g32"}) {
      const Scheme scheme = parse_scheme(fmt::format("W4A16{}{}", per, zero));
      const double here = data_free_sqnr(quantize_clipped({weights.data(), n, k}, scheme), weights);
      EXPECT_GE(here, last) << per << zero;
      last = here;
    }
  }
}

/// The mean squared error of normal numbers on a symmetric grid of 15 codes, by integration.
double normal_error(double step) {
  double sum = 0;
  const double width = 1e-3;
  for (double x = width / 2; x < 8; x += width) {
    const double error = x - step * std::min(std::nearbyint(x / step), 7.0);
    sum += 2 * error * error * std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0)) * width;
  }
  return sum;
}

// The error is flat about its least: a search in hundredths, on rows of their own noise, finds it
// within a hundredth of a decibel, and the step within a few hundredths of itself.
TEST(ClipTest, FindsTheBestStepForNormalWeights) {
  double best = 0.2;
  for (double step = 0.2; step < 0.6; step += 1e-3) {
    if (normal_error(step) < normal_error(best)) best = step;
  }
  const std::int64_t n = 32, k = 16384;
  std::vector<float> weights(static_cast<std::size_t>(n * k));
  fill_normal(weights, seed_from_name("best step"), 1.0F);
  const QuantMatrix found = quantize_clipped({weights.data(), n, k}, parse_scheme("W4A16"));
  for (const float scale : found.scales) EXPECT_NEAR(scale, best, 0.05 * best);
  EXPECT_NEAR(data_free_sqnr(found, weights), -10 * std::log10(normal_error(best)), 0.03);
}

// Where HQQ is meant to gain: few large errors for many small ones.
TEST(HqqTest, MakesSmallErrorsSmaller) {
  const std::int64_t n = 16, k = 1024;
  const std::vector<float> weights = heavy_weights(n * k, "hqq");
  const ConstMatrix matrix(weights.data(), n, k);
  for (const char* scheme : {"W4A16-g64", "W4A16-g64-asym", "W3A16-g128-asym", "W4A16"}) {
    const QuantMatrix found = hqq(matrix, parse_scheme(scheme));
    const QuantMatrix nearest = round_to_nearest(matrix, parse_scheme(scheme));
    double here = 0, there = 0;
    for (std::int64_t row = 0; row < n; ++row) {
      here += power_sum(found, matrix, 0.7, row, 0, k);
      there += power_sum(nearest, matrix, 0.7, row, 0, k);
    }
    EXPECT_LT(here, there) << scheme;
  }
}

}  // namespace
}  // namespace qassay
