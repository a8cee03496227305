#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/longest_sum.hpp"

namespace qassay {

/// The plain weights of a layer, as every reference kernel holds them.
class ReferencePrepared : public Prepared {
 public:
  ReferencePrepared(const Problem& problem, QuantMatrix weights, std::span<const float> bias,
                    int threads)
      : problem_(problem),
        weights_(std::move(weights)),
        bias_(bias.begin(), bias.end()),
        threads_(threads) {}

  std::size_t packed_bytes() const override {
    return weights_.values.size() * 4 + weights_.halves.size() * 2 + weights_.codes.size() +
           weights_.scales.size() * 4 + weights_.zero_points.size() + bias_.size() * 4;
  }

  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem_, m, packed_bytes(), Traffic::Unit::f32);
  }

 protected:
  double bias(std::int64_t row) const {
    return bias_.empty() ? 0.0 : bias_[static_cast<std::size_t>(row)];
  }

  /// The products of one row of weights with the codes of x[k], summed exactly in each block b of
  /// k, and r = fma(float(sum_b), scale_b, r) for b in order, from r = 0. `x_scales`: of the blocks
  /// of x, where they have scales of their own: scale_b is the weights' times this.
  float sum_of_products(std::int64_t row, const std::int8_t* x,
                        const float* x_scales = nullptr) const {
    const std::int64_t block = sum_length(weights_.scheme.weights, weights_.k);
    float sum = 0;
    for (std::int64_t begin = 0; begin < weights_.k; begin += block) {
      const std::int64_t end = std::min(begin + block, weights_.k);
      const std::size_t scale = weights_.scale_index(row, begin);
      const int zero = weights_.zero_point(scale);
      std::int32_t products = 0;
      for (std::int64_t k = begin; k < end; ++k)
        products += (weights_.codes[static_cast<std::size_t>(row * weights_.k + k)] - zero) * x[k];
      const float x_scale = x_scales == nullptr ? 1.0F : *x_scales++;
      sum = std::fma(static_cast<float>(products), weights_.scales[scale] * x_scale, sum);
    }
    return sum;
  }

  Problem problem_;
  QuantMatrix weights_;
  std::vector<float> bias_;
  int threads_;
};

/// What the weights are multiplied with: numbers, or int8 codes with a scale for a row (a tensor,
/// in convolutions) or for each block of a row.
enum class ReferenceInput { floating, codes, codes_in_blocks };

/// `Form`: the ReferencePrepared that computes it.
template <typename Form, LayerKind kLayer, ReferenceInput kInput>
class ReferenceKernel final : public Kernel {
 public:
  explicit ReferenceKernel(std::string_view name) : info_(kernel_info(name)) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (problem.scheme.quantizes_input() != kInteger) {
      return Refusal{kInteger ? "takes int8 activations only" : "takes floating activations only"};
    }
    if (auto refusal = refuses_kind(kLayer, problem)) return refusal;
    if (problem.scheme.blocks_input() != (kInput == ReferenceInput::codes_in_blocks)) {
      return Refusal{problem.scheme.blocks_input() ? "takes activations without blocks only"
                                                   : "takes activations in blocks only"};
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
  static constexpr bool kInteger = kInput != ReferenceInput::floating;

  KernelInfo info_;
};

}  // namespace qassay
