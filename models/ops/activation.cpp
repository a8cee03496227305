// Operators that work number by number. NaN passes through all of them: a broken kernel must not
// turn into a plausible zero.

#include <algorithm>
#include <cmath>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"
#include "models/ops/vector_loops.hpp"

namespace qassay {
namespace {

struct ReluFunction {
  static float value(float x) { return x < 0 ? 0 : x; }
  static float slope(float x) { return x > 0 ? 1.0F : 0.0F; }
};

struct Relu6Function {
  static float value(float x) { return x < 0 ? 0 : (x > 6 ? 6 : x); }
  static float slope(float x) { return x > 0 && x < 6 ? 1.0F : 0.0F; }
};

struct HardSwishFunction {
  static float value(float x) { return x * Relu6Function::value(x + 3) / 6; }
  static float slope(float x) {
    if (x <= -3) return 0;
    return x >= 3 ? 1 : (2 * x + 3) / 6;
  }
};

template <typename Function>
class Activation final : public Op {
 public:
  explicit Activation(int threads) : threads_(threads) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    const float* const in = x.front().data;
    for_shares(
        y.rows * y.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) y.data[i] = Function::value(in[i]);
        },
        y.rows * y.cols);
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data == nullptr) return;
    const float* const in = x.front().data;
    float* const out = dx.front().data;
    for_shares(
        dy.rows * dy.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) out[i] = dy.data[i] * Function::slope(in[i]);
        },
        dy.rows * dy.cols);
  }

 private:
  int threads_;
};

/// The same by loops over vectors.
class FastActivation final : public Op {
 public:
  using Value = void (*)(const float*, float*, std::int64_t);
  using Slope = void (*)(const float*, const float*, float*, std::int64_t);
  FastActivation(Value value, Slope slope, int threads)
      : value_(value), slope_(slope), threads_(threads) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_shares(
        y.rows * y.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          value_(x.front().data + begin, y.data + begin, end - begin);
        },
        y.rows * y.cols);
  }
  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    if (dx.front().data == nullptr) return;
    for_shares(
        dy.rows * dy.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          slope_(x.front().data + begin, dy.data + begin, dx.front().data + begin, end - begin);
        },
        dy.rows * dy.cols);
  }

 private:
  Value value_;
  Slope slope_;
  int threads_;
};

class Sum final : public Op {
 public:
  explicit Sum(int threads) : threads_(threads) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_shares(
        y.rows * y.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          add(x[0].data + begin, x[1].data + begin, y.data + begin, end - begin);
        },
        y.rows * y.cols);
  }

  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    for (const Matrix& out : dx) {
      if (out.data == nullptr) continue;
      for_shares(
          dy.rows * dy.cols, threads_,
          [&](std::int64_t begin, std::int64_t end) {
            std::copy(dy.data + begin, dy.data + end, out.data + begin);
          },
          dy.rows * dy.cols);
    }
  }

 private:
  int threads_;
};

class ProductOfTwo final : public Op {
 public:
  explicit ProductOfTwo(int threads) : threads_(threads) {}

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_shares(
        y.rows * y.cols, threads_,
        [&](std::int64_t begin, std::int64_t end) {
          multiply(x[0].data + begin, x[1].data + begin, y.data + begin, end - begin);
        },
        y.rows * y.cols);
  }

  void backward(std::span<const ConstMatrix> x, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    for (std::size_t side = 0; side < 2; ++side) {
      const float* const other = x[1 - side].data;
      float* const out = dx[side].data;
      if (out == nullptr) continue;
      for_shares(
          dy.rows * dy.cols, threads_,
          [&](std::int64_t begin, std::int64_t end) {
            multiply(dy.data + begin, other + begin, out + begin, end - begin);
          },
          dy.rows * dy.cols);
    }
  }

 private:
  int threads_;
};

}  // namespace

Extent output_extent(const Relu&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const Relu6&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const HardSwish&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const Silu&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const Gelu&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const GeluTanh&, std::span<const Extent> inputs) { return inputs.front(); }
Extent output_extent(const Multiply&, std::span<const Extent> inputs) {
  require(inputs[0] == inputs[1], "multiplies two values of different sizes");
  return inputs.front();
}
Extent output_extent(const Add&, std::span<const Extent> inputs) {
  require(inputs[0] == inputs[1], "adds two values of different sizes");
  return inputs.front();
}

std::unique_ptr<Op> make_op(const Relu&, const OpPlace& place) {
  return std::make_unique<Activation<ReluFunction>>(place.threads);
}
std::unique_ptr<Op> make_op(const Relu6&, const OpPlace& place) {
  return std::make_unique<Activation<Relu6Function>>(place.threads);
}
std::unique_ptr<Op> make_op(const HardSwish&, const OpPlace& place) {
  return std::make_unique<Activation<HardSwishFunction>>(place.threads);
}
std::unique_ptr<Op> make_op(const Silu&, const OpPlace& place) {
  return std::make_unique<FastActivation>(silu, silu_slope, place.threads);
}
std::unique_ptr<Op> make_op(const Gelu&, const OpPlace& place) {
  return std::make_unique<FastActivation>(gelu, gelu_slope, place.threads);
}
std::unique_ptr<Op> make_op(const GeluTanh&, const OpPlace& place) {
  return std::make_unique<FastActivation>(gelu_tanh, gelu_tanh_slope, place.threads);
}
std::unique_ptr<Op> make_op(const Multiply&, const OpPlace& place) {
  return std::make_unique<ProductOfTwo>(place.threads);
}
std::unique_ptr<Op> make_op(const Add&, const OpPlace& place) {
  return std::make_unique<Sum>(place.threads);
}

}  // namespace qassay
