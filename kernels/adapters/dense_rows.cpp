#include "kernels/adapters/dense_rows.hpp"

#include <algorithm>

namespace qassay {

bool DenseRows::is_dense(ConstMatrix view) const {
  return (view.rows == 1 || view.stride == view.cols) &&
         reinterpret_cast<std::uintptr_t>(view.data) % alignment_ == 0;
}

float* DenseRows::hold(std::int64_t numbers) {
  const std::size_t bytes = static_cast<std::size_t>(numbers) * sizeof(float);
  if (bytes > buffer_.size()) buffer_ = Buffer(bytes);
  return buffer_.as<float>();
}

const float* DenseRows::gather(ConstMatrix x, int threads) {
  if (is_dense(x)) return x.data;
  float* const dense = hold(x.rows * x.cols);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t i = 0; i < x.rows; ++i) {
    std::copy_n(x.row(i), x.cols, dense + i * x.cols);
  }
  return dense;
}

float* DenseRows::room(Matrix y) { return is_dense(y) ? y.data : hold(y.rows * y.cols); }

void DenseRows::scatter(Matrix y, int threads) const {
  if (is_dense(y)) return;
  const auto* const dense = buffer_.as<const float>();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t i = 0; i < y.rows; ++i) {
    std::copy_n(dense + i * y.cols, y.cols, y.row(i));
  }
}

}  // namespace qassay
