// FP32 and BF16 linear layers and convolutions by oneDNN, which adds the bias itself.

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "kernels/adapters/dense_rows.hpp"
#include "kernels/adapters/onednn_layer.hpp"
#include "kernels/adapters/packed_weights.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"

namespace qassay {
namespace {

using dnnl::memory;

constexpr std::size_t kBias = 0;  // index in PackedWeights

/// What a layer's copies share.
struct Shared {
  Shared(const OnednnLayerShape& s, int n_threads)
      : shape(s), threads(n_threads), layer(s, threads) {}

  OnednnLayerShape shape;
  int threads;
  OnednnLayer layer;
  DenseRows dense_x;                                  // FP32 only
  OnednnConversion to_bf16{memory::data_type::bf16};  // BF16 only
  DenseRows dense_y;
};

class FloatPrepared : public Prepared {
 public:
  FloatPrepared(std::shared_ptr<Shared> shared, PackedWeights packed)
      : shared_(std::move(shared)),
        packed_(std::move(packed)),
        weights_(shared_->layer.packed_weights(packed_.weights())) {}

  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {{packed_.weights(), packed_.bytes()}};
  }

  Traffic traffic(std::int64_t m) const override {
    const OnednnLayerShape& shape = shared_->shape;
    return traffic_of(
        shape.problem, m, packed_bytes(),
        shape.weights == memory::data_type::bf16 ? Traffic::Unit::bf16 : Traffic::Unit::f32);
  }

  std::string implementation() const override { return shared_->layer.implementation(); }

 protected:
  /// `x`: dense, in the type of the weights.
  void multiply_dense(const void* x, std::byte* scratchpad, Matrix y) {
    float* const dense = shared_->dense_y.room(y);
    shared_->layer.execute(y.rows, x, weights_, packed_.vector(kBias), scratchpad, dense);
    shared_->dense_y.scatter(y, shared_->threads);
  }

  std::shared_ptr<Shared> shared_;
  PackedWeights packed_;
  memory weights_;  // a handle on packed_
};

class F32Prepared final : public FloatPrepared {
 public:
  using FloatPrepared::FloatPrepared;

  static constexpr auto kType = memory::data_type::f32;
  static const void* plain(const QuantMatrix& weights) { return weights.values.data(); }

  std::size_t workspace_bytes() const override { return shared_->layer.scratchpad_bytes(); }
  void quantize_input(ConstMatrix, std::span<std::byte>) override {}
  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    multiply_dense(shared_->dense_x.gather(x, shared_->threads), workspace.data(), y);
  }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<F32Prepared>(shared_, packed_.copy());
  }
};

/// The workspace holds x in BF16, then the scratchpad.
class Bf16Prepared final : public FloatPrepared {
 public:
  using FloatPrepared::FloatPrepared;

  static constexpr auto kType = memory::data_type::bf16;
  static const void* plain(const QuantMatrix& weights) { return weights.halves.data(); }

  std::size_t workspace_bytes() const override {
    return scratchpad_place() + shared_->layer.scratchpad_bytes();
  }
  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    shared_->to_bf16.run(x, workspace.data(), shared_->threads);
  }
  void multiply(ConstMatrix, std::span<std::byte> workspace, Matrix y) override {
    multiply_dense(workspace.data(), workspace.data() + scratchpad_place(), y);
  }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<Bf16Prepared>(shared_, packed_.copy());
  }

 private:
  std::size_t scratchpad_place() const {
    const Problem& problem = shared_->shape.problem;
    const auto bytes = static_cast<std::size_t>(2 * problem.m_max * problem.inputs());
    return (bytes + 63) / 64 * 64;
  }
};

template <typename Form, LayerKind kKind>
class FloatKernel final : public Kernel {
 public:
  FloatKernel(std::string_view name, std::string_view scheme)
      : info_(kernel_info(name)), scheme_(parse_scheme(scheme)) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(kKind, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    return onednn_refuses(shape_of(problem));
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    auto shared = std::make_shared<Shared>(shape_of(problem), device.threads);
    PackedWeights packed(shared->layer.weight_bytes(), {bias}, device.threads);
    shared->layer.pack(Form::plain(weights), packed.weights());
    return std::make_unique<Form>(std::move(shared), std::move(packed));
  }

 private:
  static OnednnLayerShape shape_of(const Problem& problem) {
    return {.problem = problem, .x = Form::kType, .weights = Form::kType, .bias = problem.bias};
  }

  KernelInfo info_;
  Scheme scheme_;
};

}  // namespace

const Kernel& linear_f32_f32_f32_onednn() {
  static const FloatKernel<F32Prepared, LayerKind::linear> kernel("linear_f32_f32_f32_onednn",
                                                                  "FP32");
  return kernel;
}

const Kernel& linear_bf16_bf16_f32_onednn() {
  static const FloatKernel<Bf16Prepared, LayerKind::linear> kernel("linear_bf16_bf16_f32_onednn",
                                                                   "BF16");
  return kernel;
}

const Kernel& conv_f32_f32_f32_onednn() {
  static const FloatKernel<F32Prepared, LayerKind::convolution> kernel("conv_f32_f32_f32_onednn",
                                                                       "FP32");
  return kernel;
}

const Kernel& conv_bf16_bf16_f32_onednn() {
  static const FloatKernel<Bf16Prepared, LayerKind::convolution> kernel("conv_bf16_bf16_f32_onednn",
                                                                        "BF16");
  return kernel;
}

}  // namespace qassay
