// W8A8 convolutions by oneDNN, of codes u8 with codes s8: it scales its exact int32 sums by output
// channel. We quantize the images before, inside the operation.
//
// oneDNN adds the bias to the sums and scales both: it gets bias / scale.

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/adapters/dense_rows.hpp"
#include "kernels/adapters/int8_codes.hpp"
#include "kernels/adapters/onednn_layer.hpp"
#include "kernels/adapters/packed_weights.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/longest_sum.hpp"
#include "kernels/static_input.hpp"

namespace qassay {
namespace {

using dnnl::memory;

constexpr std::size_t kBias = 0;  // index in PackedWeights

/// What a layer's copies share.
struct Shared {
  Shared(const OnednnLayerShape& shape, const Grid& grid, int n_threads)
      : problem(shape.problem), input(grid), threads(n_threads), layer(shape, threads) {}

  Problem problem;
  Grid input;
  int threads;
  OnednnLayer layer;
  DenseRows dense_y;
};

/// The workspace holds the codes of the images, and the scratchpad.
class StaticPrepared final : public Prepared {
 public:
  StaticPrepared(std::shared_ptr<Shared> shared, PackedWeights packed)
      : shared_(std::move(shared)),
        packed_(std::move(packed)),
        weights_(shared_->layer.packed_weights(packed_.weights())) {}

  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {{packed_.weights(), packed_.bytes()}};
  }
  std::size_t workspace_bytes() const override {
    return scratchpad_place() + shared_->layer.scratchpad_bytes();
  }
  Traffic traffic(std::int64_t m) const override {
    return traffic_of(shared_->problem, m, packed_bytes(), Traffic::Unit::int8);
  }
  std::string implementation() const override { return shared_->layer.implementation(); }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    quantize_images(x, *shared_->problem.convolution, /*border=*/0, shared_->input,
                    CodeForm::as_unsigned, shared_->threads,
                    reinterpret_cast<std::uint8_t*>(workspace.data()));
  }

  void multiply(ConstMatrix, std::span<std::byte> workspace, Matrix y) override {
    shared_->layer.execute(y.rows, workspace.data(), weights_, packed_.vector(kBias),
                           workspace.data() + scratchpad_place(), shared_->dense_y.room(y));
    shared_->dense_y.scatter(y, shared_->threads);
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<StaticPrepared>(shared_, packed_.copy());
  }

 private:
  std::size_t scratchpad_place() const {
    const Problem& problem = shared_->problem;
    return static_cast<std::size_t>((problem.m_max * problem.inputs() + 63) / 64 * 64);
  }

  std::shared_ptr<Shared> shared_;
  PackedWeights packed_;
  memory weights_;  // a handle on packed_
};

class StaticKernel final : public Kernel {
 public:
  explicit StaticKernel(std::string_view name)
      : info_(kernel_info(name)), scheme_(parse_scheme("W8A8-static")) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::convolution, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    if (problem.k > kLongestSum) return Refusal{"k is so long that an int32 sum can overflow"};
    // Scales and zero come with the weights; that there are some decides what oneDNN has.
    return onednn_refuses_int8(
        shape_of(problem, std::vector<float>(static_cast<std::size_t>(problem.n), 1.0F), 1));
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    std::vector<float> scales;
    for (const float scale : weights.scales) scales.push_back(weights.input.scale * scale);
    std::vector<float> scaled(bias.begin(), bias.end());
    for (std::size_t n = 0; n < scaled.size(); ++n) {
      if (scaled[n] == 0) continue;
      if (!std::isfinite(scaled[n] / scales[n])) scales[n] = std::fabs(scaled[n]) * kVanishing;
      scaled[n] /= scales[n];
    }
    auto shared = std::make_shared<Shared>(shape_of(problem, scales, weights.input.zero),
                                           weights.input, device.threads);
    PackedWeights packed(shared->layer.weight_bytes(), {scaled}, device.threads);
    shared->layer.pack(signed_codes(weights).data(), packed.weights());
    return std::make_unique<StaticPrepared>(std::move(shared), std::move(packed));
  }

 private:
  static OnednnLayerShape shape_of(const Problem& problem, std::vector<float> scales, int zero) {
    return {.problem = problem,
            .x = memory::data_type::u8,
            .weights = memory::data_type::s8,
            .y = memory::data_type::f32,
            .bias = problem.bias,
            .output_scales = std::move(scales),
            .x_zero = zero};
  }

  /// Channels of zeros, or a range of zeros, have scales so small that a bias divided by one is
  /// infinite: more than 2^128 scales, beside which no int32 sum counts. A scale of 2^-60 of the
  /// bias also leaves any sum below the bias's last bit.
  static constexpr float kVanishing = 0x1p-60F;

  KernelInfo info_;
  Scheme scheme_;
};

}  // namespace

const Kernel& conv_a8t_s8c_f32_onednn() {
  static const StaticKernel kernel("conv_a8t_s8c_f32_onednn");
  return kernel;
}

}  // namespace qassay
