#include "quantizers/layer_error.hpp"

#include <cstdint>
#include <numeric>
#include <vector>

#include "quantizers/round_to_nearest.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

double total(const std::vector<double>& rows) {
  return std::accumulate(rows.begin(), rows.end(), 0.0);
}

}  // namespace

Distortion weight_distortion(ConstMatrix weights, const QuantMatrix& quantized) {
  const std::vector<float> values = dequantize(quantized);
  return distortion({values.data(), quantized.n, quantized.k}, weights);
}

double output_error(ConstMatrix weights, const QuantMatrix& quantized, const InputMetric& metric) {
  std::vector<float> difference = dequantize(quantized);
  for_each_row(weights.rows, [&](std::int64_t i) {
    float* row = difference.data() + i * weights.cols;
    for (std::int64_t j = 0; j < weights.cols; ++j) row[j] -= weights.row(i)[j];
  });
  const double error = total(metric.row_energies({difference.data(), weights.rows, weights.cols}));
  if (error == 0) return 0;
  const double relative = error / total(metric.row_energies(weights));
  return relative <= kMaxRelativeError ? relative : kMaxRelativeError;
}

}  // namespace qassay
