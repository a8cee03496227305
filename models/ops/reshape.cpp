// Flatten, which moves nothing, and softmax.

#include <algorithm>
#include <cmath>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

class Copy final : public Op {
 public:
  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    if (x.front().data != y.data) std::copy_n(x.front().data, y.rows * y.cols, y.data);
  }
  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data != nullptr) std::copy_n(dy.data, dy.rows * dy.cols, dx.front().data);
  }
};

class SoftmaxRows final : public Op {
 public:
  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for (std::int64_t row = 0; row < y.rows; ++row) {
      const float* const in = x.front().row(row);
      float* const out = y.row(row);
      const float most = *std::max_element(in, in + y.cols);
      double sum = 0;
      for (std::int64_t c = 0; c < y.cols; ++c) sum += out[c] = std::exp(in[c] - most);
      for (std::int64_t c = 0; c < y.cols; ++c) out[c] = static_cast<float>(out[c] / sum);
    }
  }
  /// dx_i = y_i (dy_i - sum_j dy_j y_j)
  void backward(std::span<const ConstMatrix>, ConstMatrix y, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data == nullptr) return;
    for (std::int64_t row = 0; row < y.rows; ++row) {
      double dot = 0;
      for (std::int64_t c = 0; c < y.cols; ++c)
        dot += static_cast<double>(dy.row(row)[c]) * y.row(row)[c];
      for (std::int64_t c = 0; c < y.cols; ++c) {
        dx.front().row(row)[c] = static_cast<float>(y.row(row)[c] * (dy.row(row)[c] - dot));
      }
    }
  }
};

}  // namespace

Extent output_extent(const Flatten&, std::span<const Extent> inputs) {
  return {1, 1, inputs.front().features()};
}
Extent output_extent(const Softmax&, std::span<const Extent> inputs) {
  require(inputs.front().is_vector(), "takes a vector; flatten the image first");
  return inputs.front();
}

std::unique_ptr<Op> make_op(const Flatten&, const OpPlace&) { return std::make_unique<Copy>(); }
std::unique_ptr<Op> make_op(const Softmax&, const OpPlace&) {
  return std::make_unique<SoftmaxRows>();
}

}  // namespace qassay
