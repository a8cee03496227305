#include "quantizers/gptq.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/grid.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/layer_error.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/quantizers/layer_sample.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

constexpr GptqOptions kPlain{};
constexpr GptqOptions kActOrder{.act_order = true};

/// Every kind of integer scheme; groups that divide 128 and 200 columns and such that do not.
const std::vector<std::string> kIntegers{
    "W8A8",          "W4A16",          "W4A16-asym",     "W3A16-tensor", "W4A16-tensor-asym",
    "W4A16-g32",     "W4A16-g32-asym", "W4A16-g128",     "W2A16-g64",    "W5A16-g100-asym",
    "W3A16-g8-asym", "W4A16-g150",     "W4A16-g512-asym"};

class GptqTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

void expect_same(const QuantMatrix& got, const QuantMatrix& wanted, const std::string& what) {
  EXPECT_EQ(got.codes, wanted.codes) << what;
  EXPECT_EQ(got.scales, wanted.scales) << what;
  EXPECT_EQ(got.zero_points, wanted.zero_points) << what;
}

QuantMatrix run_gptq(const LayerSample& layer, const std::string& scheme,
                     const GptqOptions& options = kPlain) {
  return gptq(layer.w(), plan_gptq(layer.hessian(), options), parse_scheme(scheme));
}

/// GPTQ's output error over that of rounding to nearest.
double error_ratio(const LayerSample& layer, const std::string& scheme,
                   const GptqOptions& options = kPlain) {
  const Hessian h = layer.hessian();
  const QuantMatrix nearest = round_to_nearest(layer.w(), parse_scheme(scheme));
  const QuantMatrix found = gptq(layer.w(), plan_gptq(h, options), parse_scheme(scheme));
  return output_error(layer.w(), found, InputMetric(h)) /
         output_error(layer.w(), nearest, InputMetric(h));
}

// P09: uncorrelated inputs leave nothing to compensate.
TEST_F(GptqTest, RoundsToNearestWhereInputsAreUncorrelated) {
  const LayerSample layer(19, 200, 1, 0, "identity");
  std::vector<double> h(200 * 200);
  for (std::size_t i = 0; i < 200; ++i) h[i * 200 + i] = 0.37;
  for (const std::string& scheme : kIntegers) {
    const QuantMatrix wanted = round_to_nearest(layer.w(), parse_scheme(scheme));
    for (const GptqOptions& options : {kPlain, kActOrder}) {
      const GptqPlan plan = plan_gptq({h.data(), 200, 200}, options);
      expect_same(gptq(layer.w(), plan, parse_scheme(scheme)), wanted, scheme);
    }
  }
}

TEST_F(GptqTest, RoundsToNearestWhereDampingDrownsTheHessian) {
  const LayerSample layer(19, 200, 400, 0.9, "drowned");
  for (const std::string& scheme : kIntegers) {
    expect_same(run_gptq(layer, scheme, {.damping = 1e12}),
                round_to_nearest(layer.w(), parse_scheme(scheme)), scheme);
  }
}

/// The definition that GPTQ is a fast form of (OBQ in a fixed order, Frantar et al. 2022, arXiv:
/// 2208.11580, equations 2 and 3): the inverse itself, from which each column is eliminated in
/// turn, in double. For per-channel symmetric schemes.
std::vector<int> eliminated_codes(const LayerSample& layer, int bits, double damping) {
  const std::int64_t k = layer.k;
  const Hessian hessian = layer.hessian();
  const auto at = [k](std::int64_t i, std::int64_t j) {
    return static_cast<std::size_t>(i * k + j);
  };
  std::vector<double> a(static_cast<std::size_t>(k * k)), inverse(a.size());
  double mean = 0;
  for (std::int64_t i = 0; i < k; ++i) mean += hessian.sums().row(i)[i] / static_cast<double>(k);
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j < k; ++j) {
      a[at(i, j)] =
          hessian.sums().row(std::max(i, j))[std::min(i, j)] + (i == j ? damping * mean : 0);
      inverse[at(i, j)] = i == j ? 1 : 0;
    }
  }
  for (std::int64_t pivot = 0; pivot < k; ++pivot) {  // Gauss and Jordan
    const double scale = 1 / a[at(pivot, pivot)];
    for (std::int64_t j = 0; j < k; ++j) {
      a[at(pivot, j)] *= scale;
      inverse[at(pivot, j)] *= scale;
    }
    for (std::int64_t i = 0; i < k; ++i) {
      const double factor = a[at(i, pivot)];
      if (i == pivot) continue;
      for (std::int64_t j = 0; j < k; ++j) {
        a[at(i, j)] -= factor * a[at(pivot, j)];
        inverse[at(i, j)] -= factor * inverse[at(pivot, j)];
      }
    }
  }
  std::vector<int> codes;
  for (std::int64_t row = 0; row < layer.n; ++row) {
    std::vector<double> w(layer.w().row(row), layer.w().row(row) + k);
    std::vector<double> left = inverse;
    const Grid grid = symmetric_grid(largest_magnitude(layer.w().row(row), k), bits, DType::f32);
    for (std::int64_t j = 0; j < k; ++j) {
      const int code = grid.code(static_cast<float>(w[static_cast<std::size_t>(j)]));
      codes.push_back(code);
      const double error = (w[static_cast<std::size_t>(j)] - grid.value(code)) / left[at(j, j)];
      for (std::int64_t l = j; l < k; ++l) {
        w[static_cast<std::size_t>(l)] -= error * left[at(j, l)];
      }
      const std::vector<double> gone(left.begin() + j * k, left.begin() + (j + 1) * k);
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t l = 0; l < k; ++l) {
          left[at(i, l)] -= gone[static_cast<std::size_t>(i)] * gone[static_cast<std::size_t>(l)] /
                            gone[static_cast<std::size_t>(j)];
        }
      }
    }
  }
  return codes;
}

TEST_F(GptqTest, FollowsTheDefinition) {
  const LayerSample layer(6, 60, 150, 0.8, "definition");
  const std::vector<int> wanted = eliminated_codes(layer, 4, 0.01);
  const QuantMatrix got = run_gptq(layer, "W4A16", {.block = 16});
  std::vector<int> codes(got.codes.begin(), got.codes.end());
  EXPECT_EQ(codes, wanted);  // no weight of this sample is within FP32's rounding of a tie
}

/// Rows with another code anywhere: where FP32 rounds a weight to the other side of a tie, the rest
/// of its row may follow.
std::int64_t rows_that_differ(const QuantMatrix& a, const QuantMatrix& b) {
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < a.n; ++row) {
    count += std::equal(a.codes.begin() + row * a.k, a.codes.begin() + (row + 1) * a.k,
                        b.codes.begin() + row * a.k)
                 ? 0
                 : 1;
  }
  return count;
}

// P10, and that a group's grid sees its columns compensated wherever it opens.
TEST_F(GptqTest, TheSizeOfBlocksDoesNotMatter) {
  const LayerSample layer(100, 300, 600, 0.9, "blocks");
  for (const std::string& scheme : kIntegers) {
    for (const GptqOptions& options : {kPlain, kActOrder}) {
      const QuantMatrix wanted = run_gptq(layer, scheme, options);
      for (const std::int64_t block : {1, 7, 32, 1000}) {
        GptqOptions other = options;
        other.block = block;
        // A weight is within 2^-20 of its step of a tie with odds of 2^-19: 1 in 17 for all 30,000.
        EXPECT_LE(rows_that_differ(run_gptq(layer, scheme, other), wanted), 3)
            << scheme << ", blocks of " << block;
      }
    }
  }
}

TEST_F(GptqTest, TheScaleOfTheHessianDoesNotMatter) {
  LayerSample layer(20, 150, 300, 0.9, "scale");
  const GptqPlan before = plan_gptq(layer.hessian());
  const QuantMatrix wanted = gptq(layer.w(), before, parse_scheme("W3A16-g32-asym"));
  for (const double factor : {0x1p-40, 3.0, 1e9}) {
    std::vector<double> h(static_cast<std::size_t>(layer.k * layer.k));
    const Hessian hessian = layer.hessian();
    for (std::size_t i = 0; i < h.size(); ++i) h[i] = hessian.sums().data[i] * factor;
    const GptqPlan plan = plan_gptq({h.data(), layer.k, layer.k});
    expect_same(gptq(layer.w(), plan, parse_scheme("W3A16-g32-asym")), wanted,
                fmt::format("times {}", factor));
  }
}

TEST_F(GptqTest, WeightsOnTheGridStayThere) {
  LayerSample layer(20, 256, 300, 0.9, "fixed point");
  for (const char* scheme : {"W4A16-g64", "W4A16", "W8A8", "W3A16-g32"}) {
    const QuantMatrix once = round_to_nearest(layer.w(), parse_scheme(scheme));
    layer.weights = dequantize(once);
    EXPECT_EQ(run_gptq(layer, scheme).codes, once.codes) << scheme;
    EXPECT_EQ(run_gptq(layer, scheme, kActOrder).codes, once.codes) << scheme;
  }
}

// P11, for the layer as a whole: single rows may lose.
TEST_F(GptqTest, LosesNoMoreThanRoundingToNearest) {
  for (const std::string& scheme : kIntegers) {
    for (const double rho : {0.0, 0.5, 0.9}) {
      LayerSample layer(48, 192, 600, rho, fmt::format("gain {} {}", scheme, rho));
      layer.scale_input(5, 20);
      layer.scale_input(77, 40);
      EXPECT_LE(error_ratio(layer, scheme), 1) << scheme << ", rho " << rho;
      EXPECT_LE(error_ratio(layer, scheme, kActOrder), 1) << scheme << ", rho " << rho;
    }
  }
}

// P12, with the ratios of an independent simulation.
TEST_F(GptqTest, GainsWhereInputsAreCorrelated) {
  struct Case {
    double rho, ratio;
  };
  for (const auto& [rho, ratio] : std::vector<Case>{{0, 0.94}, {0.5, 0.71}, {0.9, 0.18}}) {
    const LayerSample layer(128, 256, 2048, rho, fmt::format("correlation {}", rho));
    EXPECT_NEAR(error_ratio(layer, "W4A16-g128"), ratio, 0.05) << rho;
  }
}

TEST_F(GptqTest, ActOrderGainsWhereInputsAreUnequal) {
  LayerSample layer(128, 256, 2048, 0.5, "unequal");
  Random random(1);
  for (std::int64_t i = 0; i < layer.k; ++i) {
    layer.scale_input(i, static_cast<float>(std::exp(random.normal())));
  }
  EXPECT_NEAR(error_ratio(layer, "W4A16-g128"), 0.70, 0.05);
  EXPECT_NEAR(error_ratio(layer, "W4A16-g128", kActOrder), 0.59, 0.05);
}

// P13
TEST_F(GptqTest, ActOrderIsThatOfThePermutedProblem) {
  LayerSample layer(30, 140, 300, 0.8, "permutation");
  for (std::int64_t i = 0; i < layer.k; ++i) {
    layer.scale_input(i, 1 + static_cast<float>(i * 37 % 101));
  }
  const GptqPlan plan = plan_gptq(layer.hessian(), kActOrder);
  LayerSample permuted = layer;
  for (std::int64_t j = 0; j < layer.k; ++j) {
    const std::int64_t from = plan.order[static_cast<std::size_t>(j)];
    for (std::int64_t i = 0; i < layer.n; ++i) {
      permuted.weights[static_cast<std::size_t>(i * layer.k + j)] = layer.w().row(i)[from];
    }
    for (std::int64_t i = 0; i < layer.m; ++i) {
      permuted.inputs[static_cast<std::size_t>(i * layer.k + j)] = layer.x().row(i)[from];
    }
  }
  const QuantMatrix got = gptq(layer.w(), plan, parse_scheme("W3A16"));
  const QuantMatrix wanted = run_gptq(permuted, "W3A16");
  EXPECT_EQ(got.scales, wanted.scales);
  for (std::int64_t i = 0; i < layer.n; ++i) {
    for (std::int64_t j = 0; j < layer.k; ++j) {
      ASSERT_EQ(got.codes[static_cast<std::size_t>(i * layer.k +
                                                   plan.order[static_cast<std::size_t>(j)])],
                wanted.codes[static_cast<std::size_t>(i * layer.k + j)]);
    }
  }
}

TEST_F(GptqTest, NeedsNoFullRank) {
  const LayerSample layer(32, 160, 40, 0.5, "rank");
  for (const GptqOptions& options : {kPlain, kActOrder}) {
    EXPECT_LE(error_ratio(layer, "W4A16-g32", options), 1);
    EXPECT_LE(error_ratio(layer, "W3A16-asym", options), 1);
  }
  EXPECT_EQ(plan_gptq(layer.hessian()).escalations, 0);
}

TEST_F(GptqTest, DeadInputsHaveNoPart) {
  LayerSample layer(12, 90, 200, 0.8, "dead");
  LayerSample small = layer;
  small.k = 89;
  small.weights.clear();
  small.inputs.clear();
  layer.scale_input(40, 0);
  for (std::int64_t i = 0; i < layer.n; ++i) {
    layer.weights[static_cast<std::size_t>(i * layer.k + 40)] = 5;
  }
  for (std::size_t i = 0; i < layer.weights.size(); ++i) {
    if (i % 90 != 40) small.weights.push_back(layer.weights[i]);
  }
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    if (i % 90 != 40) small.inputs.push_back(layer.inputs[i]);
  }
  const GptqPlan plan = plan_gptq(layer.hessian());
  EXPECT_EQ(plan.dead, std::vector<std::int64_t>{40});
  for (const char* scheme : {"W4A16", "W4A16-asym"}) {
    const QuantMatrix got = gptq(layer.w(), plan, parse_scheme(scheme));
    const QuantMatrix wanted = run_gptq(small, scheme);
    EXPECT_EQ(got.scales, wanted.scales);
    std::vector<std::uint8_t> others;
    for (std::int64_t i = 0; i < layer.n; ++i) {
      for (std::int64_t j = 0; j < layer.k; ++j) {
        if (j != 40) others.push_back(got.codes[static_cast<std::size_t>(i * layer.k + j)]);
      }
      EXPECT_EQ(got.value(i, 40), 0);
    }
    EXPECT_EQ(others, wanted.codes);
  }
}

TEST_F(GptqTest, SilentLayersAreZero) {
  LayerSample layer(3, 10, 20, 0, "silent");
  std::fill(layer.inputs.begin(), layer.inputs.end(), 0.0F);
  const QuantMatrix got = run_gptq(layer, "W4A16-g8-asym");
  for (const float value : dequantize(got)) EXPECT_EQ(value, 0);
}

TEST_F(GptqTest, RaisesDampingUntilThereIsAFactor) {
  const auto plan_of = [](double correlation, double damping) {
    const std::vector<double> h{1, 0, correlation, 1};
    return plan_gptq({h.data(), 2, 2}, {.damping = damping});
  };
  const GptqPlan at_once = plan_of(0.99, 0.01);
  EXPECT_EQ(at_once.escalations, 0);
  EXPECT_EQ(at_once.damping, 0.01);
  const GptqPlan later = plan_of(1.05, 0.01);
  EXPECT_EQ(later.escalations, 1);
  EXPECT_EQ(later.damping, 0.1);
  EXPECT_FALSE(later.fell_back);
  const GptqPlan last = plan_of(1.7, 0.05);
  EXPECT_EQ(last.escalations, 2);
  EXPECT_EQ(last.damping, 1);
  const GptqPlan never = plan_of(2.5, 0.01);
  EXPECT_TRUE(never.fell_back);
  EXPECT_EQ(never.escalations, 2);
  const LayerSample layer(5, 2, 1, 0, "fallback");
  for (const char* scheme : {"W4A16", "W4A16-g8-asym"}) {
    expect_same(gptq(layer.w(), never, parse_scheme(scheme)),
                round_to_nearest(layer.w(), parse_scheme(scheme)), scheme);
  }
}

TEST_F(GptqTest, DoesNotDependOnThreads) {
  const LayerSample layer(150, 270, 300, 0.9, "threads");
  const int before = omp_get_max_threads();
  for (const char* scheme : {"W4A16-g32-asym", "W4A16", "W4A16-tensor"}) {
    for (const GptqOptions& options : {kPlain, kActOrder}) {
      omp_set_num_threads(1);
      const QuantMatrix one = run_gptq(layer, scheme, options);
      omp_set_num_threads(4);
      expect_same(run_gptq(layer, scheme, options), one, scheme);
    }
  }
  omp_set_num_threads(before);
}

TEST_F(GptqTest, TakesTheSmallestLayers) {
  for (const std::int64_t k : {1, 2, 33}) {
    const LayerSample layer(1, k, 40, 0, "small");
    for (const std::string& scheme : kIntegers) {
      const QuantMatrix got = run_gptq(layer, scheme);
      EXPECT_EQ(got.codes.size(), static_cast<std::size_t>(k)) << scheme;
      for (const float value : dequantize(got)) EXPECT_TRUE(std::isfinite(value)) << scheme;
    }
  }
}

template <typename Work>
std::string gptq_refusal(const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(GptqTest, RefusesTooFewRows) {
  const LayerSample layer(2, 80, 9, 0, "few");
  EXPECT_THAT(
      gptq_refusal([&] { plan_gptq(layer.hessian()); }),
      HasSubstr("calibration: 9 rows for a layer of 80 inputs; calibrate with at least 10"));
  EXPECT_EQ(gptq_refusal([] { plan_gptq(LayerSample(2, 80, 10, 0, "few").hessian()); }),
            "accepted");
}

TEST_F(GptqTest, NamesTheInputWhoseSquaresAreNone) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0}) {
    const std::vector<double> h{1, 0, 0, bad};
    EXPECT_THAT(gptq_refusal([&] {
                  plan_gptq({h.data(), 2, 2}, {}, "input of fc2");
                }),
                HasSubstr("input of fc2, input 1: "));
  }
}

TEST_F(GptqTest, RefusesWeightsAndSchemesAsRoundingDoes) {
  LayerSample layer(3, 16, 20, 0, "refused");
  EXPECT_THAT(gptq_refusal([&] { run_gptq(layer, "FP16"); }),
              HasSubstr("scheme: the weights of FP16 are no integers"));
  layer.weights[16 + 4] = 1e9F;
  EXPECT_THAT(gptq_refusal([&] { run_gptq(layer, "W4A16-g8"); }),
              HasSubstr("weights, row 1: a scale"));
  layer.weights[16 + 4] = std::numeric_limits<float>::quiet_NaN();
  for (const char* scheme : {"W4A16-g8", "W4A16", "W4A16-tensor"}) {
    EXPECT_THAT(gptq_refusal([&] { run_gptq(layer, scheme); }),
                HasSubstr("weights, row 1, column 4: nan"));
  }
}

}  // namespace
}  // namespace qassay
