// The plain kernels that all others are compared with: one loop nest, double or exact integer sums,
// never tuned.
//
// Floating activations: y = round_to_float(sum of x * value(w), in double, + bias).
// A8 activations (core/grid.hpp: quantize_row) with integer weights: the products of codes are
// summed exactly in each block b of k, and the floating part is
//   r = fma(float(sum_b), scale_b, r) for b in order, from r = 0;   y = fma(r, row scale, bias)
// Activations of -blocked schemes (quantize_row_blocked) have a scale for each block instead:
//   r = fma(float(sum_b), scale_b * x scale_b, r) for b in order, from r = 0;      y = r + bias
// where the product of the scales is rounded to FP32 first. This is what a kernel with the contract
// bit_exact computes.

#include <cmath>
#include <string>
#include <vector>

#include "core/grid.hpp"
#include "kernels/reference/reference_kernel.hpp"

namespace qassay {
namespace {

class FloatPrepared final : public ReferencePrepared {
 public:
  using ReferencePrepared::ReferencePrepared;

  std::string implementation() const override { return "reference, double sums"; }
  std::size_t workspace_bytes() const override { return 0; }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<FloatPrepared>(*this); }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t n = 0; n < weights_.n; ++n) {
      std::vector<double> row(static_cast<std::size_t>(weights_.k));
      for (std::int64_t k = 0; k < weights_.k; ++k)
        row[static_cast<std::size_t>(k)] = weights_.value(n, k);
      for (std::int64_t m = 0; m < x.rows; ++m) {
        double sum = bias(n);
        for (std::int64_t k = 0; k < weights_.k; ++k)
          sum += x.row(m)[k] * row[static_cast<std::size_t>(k)];
        y.row(m)[n] = static_cast<float>(sum);
      }
    }
  }
};

class IntegerPrepared final : public ReferencePrepared {
 public:
  using ReferencePrepared::ReferencePrepared;

  std::string implementation() const override { return "reference, exact integer sums"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(problem_.m_max) *
           (sizeof(float) + static_cast<std::size_t>(weights_.k));
  }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<IntegerPrepared>(*this);
  }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    for (std::int64_t m = 0; m < x.rows; ++m) {
      row_scales(workspace)[m] = quantize_row(x.row(m), x.cols, row_codes(workspace, m));
    }
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t n = 0; n < weights_.n; ++n) {
      for (std::int64_t m = 0; m < x.rows; ++m) {
        y.row(m)[n] = std::fma(sum_of_products(n, row_codes(workspace, m)),
                               row_scales(workspace)[m], static_cast<float>(bias(n)));
      }
    }
  }

 private:
  float* row_scales(std::span<std::byte> workspace) const {
    return reinterpret_cast<float*>(workspace.data());
  }
  std::int8_t* row_codes(std::span<std::byte> workspace, std::int64_t m) const {
    return reinterpret_cast<std::int8_t*>(row_scales(workspace) + problem_.m_max) + m * weights_.k;
  }
};

/// The workspace holds the scales of the blocks of x, row by row, then its codes.
class BlockedPrepared final : public ReferencePrepared {
 public:
  BlockedPrepared(const Problem& problem, QuantMatrix weights, std::span<const float> bias,
                  int threads)
      : ReferencePrepared(problem, std::move(weights), bias, threads),
        blocks_(blocks_per_row(problem.scheme.input.number, problem.k)) {}

  std::string implementation() const override { return "reference, exact integer sums"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(problem_.m_max) *
           (static_cast<std::size_t>(blocks_) * sizeof(float) +
            static_cast<std::size_t>(weights_.k));
  }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<BlockedPrepared>(*this);
  }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    for (std::int64_t m = 0; m < x.rows; ++m) {
      quantize_row_blocked(x.row(m), x.cols, problem_.scheme.input.number.block,
                           row_codes(workspace, m), row_scales(workspace, m));
    }
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t n = 0; n < weights_.n; ++n) {
      for (std::int64_t m = 0; m < x.rows; ++m) {
        y.row(m)[n] = sum_of_products(n, row_codes(workspace, m), row_scales(workspace, m)) +
                      static_cast<float>(bias(n));
      }
    }
  }

 private:
  float* row_scales(std::span<std::byte> workspace, std::int64_t m) const {
    return reinterpret_cast<float*>(workspace.data()) + m * blocks_;
  }
  std::int8_t* row_codes(std::span<std::byte> workspace, std::int64_t m) const {
    return reinterpret_cast<std::int8_t*>(row_scales(workspace, problem_.m_max)) + m * weights_.k;
  }

  std::int64_t blocks_;
};

}  // namespace

const Kernel& linear_f32_any_f32_reference() {
  static const ReferenceKernel<FloatPrepared, LayerKind::linear, ReferenceInput::floating> kernel(
      "linear_f32_any_f32_reference");
  return kernel;
}

const Kernel& linear_a8r_any_f32_reference() {
  static const ReferenceKernel<IntegerPrepared, LayerKind::linear, ReferenceInput::codes> kernel(
      "linear_a8r_any_f32_reference");
  return kernel;
}

const Kernel& linear_a8g_any_f32_reference() {
  static const ReferenceKernel<BlockedPrepared, LayerKind::linear, ReferenceInput::codes_in_blocks>
      kernel("linear_a8g_any_f32_reference");
  return kernel;
}

}  // namespace qassay
