// W8A8 by oneDNN: it multiplies the codes into exact int32 sums; the rows are quantized before and
// scaled after by us, inside the operation. (A scale a row as oneDNN's own post-operation falls to
// its scalar reference.) The sums are written over y, which is as wide.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "kernels/adapters/dense_rows.hpp"
#include "kernels/adapters/int8_codes.hpp"
#include "kernels/adapters/int8_rows.hpp"
#include "kernels/adapters/onednn_layer.hpp"
#include "kernels/adapters/packed_weights.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/longest_sum.hpp"

namespace qassay {
namespace {

using dnnl::memory;

constexpr std::size_t kScales = 0;  // indices in PackedWeights
constexpr std::size_t kBias = 1;

/// What a layer's copies share.
struct Shared {
  Shared(const OnednnLayerShape& s, int n_threads)
      : problem(s.problem), threads(n_threads), layer(s, threads) {}

  Problem problem;
  int threads;
  OnednnLayer layer;
  DenseRows dense_y;
};

/// The workspace holds the scale of each row, the codes of x, and the scratchpad.
class IntegerPrepared final : public Prepared {
 public:
  IntegerPrepared(std::shared_ptr<Shared> shared, PackedWeights packed)
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
    quantize_rows(x, shared_->threads, codes(workspace), row_scales(workspace));
  }

  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    float* const sums = shared_->dense_y.room(y);
    shared_->layer.execute(x.rows, codes(workspace), weights_, nullptr,
                           workspace.data() + scratchpad_place(), sums);
    scale_rows(sums, y.rows, y.cols, packed_.vector(kScales), row_scales(workspace),
               packed_.vector(kBias), shared_->threads);
    shared_->dense_y.scatter(y, shared_->threads);
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<IntegerPrepared>(shared_, packed_.copy());
  }

 private:
  static std::size_t whole_lines(std::int64_t bytes) {
    return static_cast<std::size_t>((bytes + 63) / 64 * 64);
  }
  std::size_t codes_place() const { return whole_lines(4 * shared_->problem.m_max); }
  std::size_t scratchpad_place() const {
    return codes_place() + whole_lines(shared_->problem.m_max * shared_->problem.k);
  }
  static float* row_scales(std::span<std::byte> workspace) {
    return reinterpret_cast<float*>(workspace.data());
  }
  std::int8_t* codes(std::span<std::byte> workspace) const {
    return reinterpret_cast<std::int8_t*>(workspace.data() + codes_place());
  }

  std::shared_ptr<Shared> shared_;
  PackedWeights packed_;
  memory weights_;  // a handle on packed_
};

class IntegerKernel final : public Kernel {
 public:
  explicit IntegerKernel(std::string_view name)
      : info_(kernel_info(name)), scheme_(parse_scheme("W8A8")) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    // oneDNN multiplies x + 128 with W and takes the surplus away.
    if (problem.k > kLongestSum) return Refusal{"k is so long that an int32 sum can overflow"};
    return onednn_refuses_int8(shape_of(problem));
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    auto shared = std::make_shared<Shared>(shape_of(problem), device.threads);
    PackedWeights packed(shared->layer.weight_bytes(), {weights.scales, bias}, device.threads);
    shared->layer.pack(signed_codes(weights).data(), packed.weights());
    return std::make_unique<IntegerPrepared>(std::move(shared), std::move(packed));
  }

 private:
  /// The bias is added after the scaling.
  static OnednnLayerShape shape_of(const Problem& problem) {
    return {.problem = problem,
            .x = memory::data_type::s8,
            .weights = memory::data_type::s8,
            .y = memory::data_type::s32};
  }

  KernelInfo info_;
  Scheme scheme_;
};

}  // namespace

const Kernel& linear_a8r_s8c_f32_onednn() {
  static const IntegerKernel kernel("linear_a8r_s8c_f32_onednn");
  return kernel;
}

}  // namespace qassay
