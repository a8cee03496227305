#include "quantizers/input_metric.hpp"

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "models/linear_algebra.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

/// A symmetric matrix, given on and below the diagonal, as a whole and in float.
std::vector<float> whole_matrix(MatrixView<const double> h, double factor) {
  std::vector<float> whole(static_cast<std::size_t>(h.rows * h.rows));
  for_each_row(h.rows, [&](std::int64_t i) {
    float* out = whole.data() + i * h.rows;
    for (std::int64_t j = 0; j < h.rows; ++j) {
      out[j] = static_cast<float>(h.row(std::max(i, j))[std::min(i, j)] * factor);
    }
  });
  return whole;
}

}  // namespace

InputMetric::InputMetric(ConstMatrix inputs)
    : is_gram_(inputs.cols < inputs.rows), matrix_(inputs) {
  if (!is_gram_) return;
  const std::int64_t k = inputs.cols;
  std::vector<double> sums(static_cast<std::size_t>(k * k));
  add_gram(inputs, {sums.data(), k, k}, omp_get_max_threads());
  gram_ = whole_matrix({sums.data(), k, k}, 1);
  matrix_ = {gram_.data(), k, k};
}

InputMetric::InputMetric(const Hessian& hessian) : is_gram_(true) {
  const MatrixView<const double> sums = hessian.sums();
  double largest = 0;
  for (std::int64_t i = 0; i < sums.rows; ++i) largest = std::max(largest, sums.row(i)[i]);
  gram_ = whole_matrix(sums, largest > 0 ? 1 / largest : 0);
  matrix_ = {gram_.data(), sums.rows, sums.rows};
}

std::vector<double> InputMetric::row_energies(ConstMatrix errors) const {
  const std::int64_t n = errors.rows, width = matrix_.rows;
  std::vector<float> products(static_cast<std::size_t>(n * width));
  multiply_transposed(errors, matrix_, {products.data(), n, width}, omp_get_max_threads());
  std::vector<double> energies(static_cast<std::size_t>(n));
  for_each_row(n, [&](std::int64_t row) {
    const float* product = products.data() + row * width;
    const float* other = is_gram_ ? errors.row(row) : product;
    double sum = 0;
    for (std::int64_t i = 0; i < width; ++i) sum += double{product[i]} * other[i];
    energies[static_cast<std::size_t>(row)] = std::max(sum, 0.0);  // less is rounding
  });
  return energies;
}

}  // namespace qassay
