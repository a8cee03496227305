#include "quantizers/layer_error.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/linear_algebra.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

/// H both below and above the diagonal, in float and for that in a scale where its largest element
/// is 1.
std::vector<float> whole_matrix(MatrixView<const double> h) {
  double largest = 0;
  for (std::int64_t i = 0; i < h.rows; ++i) largest = std::max(largest, h.row(i)[i]);
  const double scale = largest > 0 ? 1 / largest : 0;
  std::vector<float> whole(static_cast<std::size_t>(h.rows * h.rows));
  for_each_row(h.rows, [&](std::int64_t i) {
    float* out = whole.data() + i * h.rows;
    for (std::int64_t j = 0; j < h.rows; ++j) {
      out[j] = static_cast<float>(h.row(std::max(i, j))[std::min(i, j)] * scale);
    }
  });
  return whole;
}

/// tr(A H A^T)
double energy(ConstMatrix a, ConstMatrix h) {
  std::vector<float> product(static_cast<std::size_t>(a.rows * a.cols));
  multiply_transposed(a, h, {product.data(), a.rows, a.cols}, omp_get_max_threads());
  std::vector<double> rows(static_cast<std::size_t>(a.rows));
  for_each_row(a.rows, [&](std::int64_t i) {
    double sum = 0;
    const float* x = product.data() + i * a.cols;
    for (std::int64_t j = 0; j < a.cols; ++j) sum += double{x[j]} * a.row(i)[j];
    rows[static_cast<std::size_t>(i)] = sum;
  });
  double sum = 0;
  for (const double row : rows) sum += row;
  return std::max(sum, 0.0);  // rounding apart, no row is negative
}

}  // namespace

Distortion weight_distortion(ConstMatrix weights, const QuantMatrix& quantized) {
  const std::vector<float> values = dequantize(quantized);
  return distortion({values.data(), quantized.n, quantized.k}, weights);
}

double output_error(ConstMatrix weights, const QuantMatrix& quantized, const Hessian& hessian) {
  const std::vector<float> storage = whole_matrix(hessian.sums());
  const ConstMatrix h(storage.data(), weights.cols, weights.cols);
  std::vector<float> difference = dequantize(quantized);
  for_each_row(weights.rows, [&](std::int64_t i) {
    float* row = difference.data() + i * weights.cols;
    for (std::int64_t j = 0; j < weights.cols; ++j) row[j] -= weights.row(i)[j];
  });
  const double error = energy({difference.data(), weights.rows, weights.cols}, h);
  const double signal = energy(weights, h);
  if (error == 0) return 0;
  const double relative = error / signal;
  return relative <= kMaxRelativeError ? relative : kMaxRelativeError;
}

}  // namespace qassay
