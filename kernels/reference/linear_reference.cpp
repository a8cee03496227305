// The plain kernels that all others are compared with: one loop nest, double or exact integer sums,
// never tuned.
//
// Floating activations: y = round_to_float(sum of x * value(w), in double, + bias).
// A8 activations (core/grid.hpp: quantize_row) with integer weights: the products of codes are
// summed exactly in each block b of k, and the floating part is
//   r = fma(float(sum_b), scale_b, r) for b in order, from r = 0;   y = fma(r, row scale, bias)
// which is what a kernel with the contract bit_exact computes.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/grid.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/longest_sum.hpp"

namespace qassay {
namespace {

class ReferencePrepared : public Prepared {
 public:
  ReferencePrepared(const Problem& problem, QuantMatrix weights, std::span<const float> bias,
                    int threads)
      : m_max_(problem.m_max),
        weights_(std::move(weights)),
        bias_(bias.begin(), bias.end()),
        threads_(threads) {}

  std::size_t packed_bytes() const override {
    return weights_.values.size() * 4 + weights_.halves.size() * 2 + weights_.codes.size() +
           weights_.scales.size() * 4 + weights_.zero_points.size() + bias_.size() * 4;
  }

  Traffic traffic(std::int64_t m) const override {
    return {.weight_bytes = static_cast<double>(packed_bytes()),
            .activation_bytes = 4.0 * static_cast<double>(m * (weights_.k + weights_.n)),
            .operations = 2.0 * static_cast<double>(m * weights_.n * weights_.k)};
  }

 protected:
  double bias(std::int64_t row) const {
    return bias_.empty() ? 0.0 : bias_[static_cast<std::size_t>(row)];
  }

  std::int64_t m_max_;
  QuantMatrix weights_;
  std::vector<float> bias_;
  int threads_;
};

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
    return static_cast<std::size_t>(m_max_) *
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
    const std::int64_t block = sum_length(weights_.scheme.weights, weights_.k);
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t n = 0; n < weights_.n; ++n) {
      for (std::int64_t m = 0; m < x.rows; ++m) {
        const std::int8_t* codes = row_codes(workspace, m);
        float sum = 0;
        for (std::int64_t begin = 0; begin < weights_.k; begin += block) {
          const std::int64_t end = std::min(begin + block, weights_.k);
          const std::size_t scale = weights_.scale_index(n, begin);
          const int zero = weights_.zero_point(scale);
          std::int32_t products = 0;
          for (std::int64_t k = begin; k < end; ++k) {
            products +=
                (weights_.codes[static_cast<std::size_t>(n * weights_.k + k)] - zero) * codes[k];
          }
          sum = std::fma(static_cast<float>(products), weights_.scales[scale], sum);
        }
        y.row(m)[n] = std::fma(sum, row_scales(workspace)[m], static_cast<float>(bias(n)));
      }
    }
  }

 private:
  float* row_scales(std::span<std::byte> workspace) const {
    return reinterpret_cast<float*>(workspace.data());
  }
  std::int8_t* row_codes(std::span<std::byte> workspace, std::int64_t m) const {
    return reinterpret_cast<std::int8_t*>(row_scales(workspace) + m_max_) + m * weights_.k;
  }
};

template <typename Form, bool kInteger>
class ReferenceKernel final : public Kernel {
 public:
  explicit ReferenceKernel(std::string_view name) : info_(kernel_info(name)) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (problem.scheme.quantizes_input() != kInteger) {
      return Refusal{kInteger ? "takes int8 activations only" : "takes floating activations only"};
    }
    if (kInteger && sum_length(problem.scheme.weights, problem.k) > kLongestSum)
      return Refusal{"k is so long that an int32 sum can overflow"};
    return std::nullopt;
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    return std::make_unique<Form>(problem, weights, bias, device.threads);
  }

 private:
  KernelInfo info_;
};

}  // namespace

const Kernel& linear_f32_any_f32_reference() {
  static const ReferenceKernel<FloatPrepared, false> kernel("linear_f32_any_f32_reference");
  return kernel;
}

const Kernel& linear_a8r_any_f32_reference() {
  static const ReferenceKernel<IntegerPrepared, true> kernel("linear_a8r_any_f32_reference");
  return kernel;
}

}  // namespace qassay
