#include "quantizers/layer_error.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <vector>

#include "models/linear_algebra.hpp"
#include "quantizers/input_metric.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/quantizers/layer_sample.hpp"

namespace qassay {
namespace {

class LayerErrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

/// The sum over the sample's inputs of (x . d)^2, in double.
double energy_of_row(const LayerSample& layer, const float* d) {
  double sum = 0;
  for (std::int64_t i = 0; i < layer.m; ++i) {
    double dot = 0;
    for (std::int64_t j = 0; j < layer.k; ++j) dot += double{layer.x().row(i)[j]} * d[j];
    sum += dot * dot;
  }
  return sum;
}

// By X where there are few rows, by X^T X where there are many: either way products of float, good
// to k or m roundings of numbers as large as norms.
TEST_F(LayerErrorTest, MetricsMeasureOutputs) {
  for (const std::int64_t m : {20, 90}) {
    const LayerSample layer(30, 60, m, 0.7, "metric");
    const std::vector<double> by_rows = InputMetric(layer.x()).row_energies(layer.w());
    const std::vector<double> by_hessian = InputMetric(layer.hessian()).row_energies(layer.w());
    double largest = 0;
    for (std::int64_t j = 0; j < layer.k; ++j) {
      largest = std::max(largest, layer.hessian().sums().row(j)[j]);
    }
    for (std::int64_t row = 0; row < layer.n; ++row) {
      const auto at = static_cast<std::size_t>(row);
      const double wanted = energy_of_row(layer, layer.w().row(row));
      EXPECT_NEAR(by_rows[at] / wanted, 1, 1e-4);
      EXPECT_NEAR(by_hessian[at] * largest / wanted, 1, 1e-4);
    }
  }
}

TEST_F(LayerErrorTest, OutputErrorIsThatOfTheOutputs) {
  const LayerSample layer(12, 70, 200, 0.8, "output error");
  for (const char* scheme : {"W4A16-g32", "W8A8", "FP16"}) {
    const QuantMatrix quantized = round_to_nearest(layer.w(), parse_scheme(scheme));
    std::vector<float> d = dequantize(quantized);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] -= layer.weights[i];
    double error = 0, signal = 0;
    for (std::int64_t row = 0; row < layer.n; ++row) {
      error += energy_of_row(layer, d.data() + row * layer.k);
      signal += energy_of_row(layer, layer.w().row(row));
    }
    EXPECT_NEAR(output_error(layer.w(), quantized, InputMetric(layer.hessian())) / (error / signal),
                1, 1e-3)
        << scheme;
  }
}

TEST_F(LayerErrorTest, ErrorsOfNothingAreFinite) {
  LayerSample layer(2, 8, 20, 0, "nothing");
  const QuantMatrix quantized = round_to_nearest(layer.w(), parse_scheme("W4A16"));
  const Hessian hessian = layer.hessian();
  std::fill(layer.weights.begin(), layer.weights.end(), 0.0F);
  EXPECT_EQ(output_error(layer.w(), quantized, InputMetric(hessian)), kMaxRelativeError);
  const QuantMatrix zeros = round_to_nearest(layer.w(), parse_scheme("W4A16"));
  EXPECT_EQ(output_error(layer.w(), zeros, InputMetric(hessian)), 0);
  Hessian silent(layer.k);
  std::fill(layer.inputs.begin(), layer.inputs.end(), 0.0F);
  silent.add(layer.x());
  EXPECT_EQ(output_error(layer.w(), quantized, InputMetric(silent)), 0);
}

TEST_F(LayerErrorTest, DoesNotDependOnThreads) {
  const LayerSample layer(300, 70, 200, 0.8, "error threads");
  const QuantMatrix quantized = round_to_nearest(layer.w(), parse_scheme("W4A16-g32"));
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const double one = output_error(layer.w(), quantized, InputMetric(layer.hessian()));
  omp_set_num_threads(4);
  EXPECT_EQ(output_error(layer.w(), quantized, InputMetric(layer.hessian())), one);
  omp_set_num_threads(before);
}

TEST_F(LayerErrorTest, WeightDistortionIsThatOfTheWeights) {
  const LayerSample layer(4, 16, 1, 0, "distortion");
  const QuantMatrix quantized = round_to_nearest(layer.w(), parse_scheme("W4A16-g8"));
  const std::vector<float> values = dequantize(quantized);
  double error = 0, signal = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    error += (double{values[i]} - layer.weights[i]) * (double{values[i]} - layer.weights[i]);
    signal += double{layer.weights[i]} * layer.weights[i];
  }
  const Distortion got = weight_distortion(layer.w(), quantized);
  EXPECT_NEAR(got.relative_error * got.relative_error, error / signal, 1e-12);
}

}  // namespace
}  // namespace qassay
