// Linear layers with 4- and 8-bit weights in groups and FP16 activations, by kernels of our own:
// one that streams the weights for few rows, one in tiles for more.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "kernels/cuda/device_layer.hpp"
#include "kernels/cuda/functions.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/packed_codes.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"

namespace qassay {
namespace {

using cuda::check;
using cuda::DeviceMemory;
using cuda::the_stream;

constexpr std::int64_t kRowsAtOnce = 64;  // x has room for whole tiles of rows

class CodesLayer final : public cuda::DeviceLayer {
 public:
  CodesLayer(const Problem& problem, const cuda::PackedCodes& packed, std::span<const float> bias)
      : DeviceLayer(problem, packed.blocks * cuda::kBlock),
        blocks_(packed.blocks),
        lines_(packed.lines),
        groups_(packed.groups),
        words_(std::span(packed.words)),
        scales_(std::span(packed.scales)),
        zeros_(std::span(packed.zeros)),
        bias_(of_channels(bias)),
        input_(input_bytes()) {}
  CodesLayer(const CodesLayer& other)
      : DeviceLayer(other.problem(), other.blocks_ * cuda::kBlock),
        blocks_(other.blocks_),
        lines_(other.lines_),
        groups_(other.groups_),
        words_(other.words_.copy()),
        scales_(other.scales_.copy()),
        zeros_(other.zeros_.copy()),
        bias_(other.bias_.copy()),
        input_(input_bytes()) {}

  std::size_t packed_bytes() const override {
    return words_.bytes() + scales_.bytes() + zeros_.bytes() + bias_.bytes();
  }
  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem(), m, packed_bytes(), Traffic::Unit::bf16);
  }
  std::string implementation() const override {
    return fmt::format("own, {}, {}",
                       problem().m_max <= cuda::kStreamRows ? "stream" : "stream or 64x64 tiles",
                       cuda::device_state().name);
  }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<CodesLayer>(*this); }

 protected:
  void enqueue_input() override {
    check(cuda::rows_to_f16(x(), rows(), problem().k, input_.as<std::uint16_t>(),
                            lines_ * cuda::kLine, the_stream()),
          "rounding x");
  }
  void enqueue_product() override {
    const cuda::CodesArgs args{.words = words_.as<void>(),
                               .scales = scales_.as<std::uint16_t>(),
                               .zeros = zeros_.as<std::uint8_t>(),
                               .bias = bias_.as<float>(),
                               .blocks = blocks_,
                               .lines = lines_,
                               .groups = groups_,
                               .group = static_cast<int>(problem().scheme.weights.block),
                               .x = input_.as<std::uint16_t>(),
                               .y = y(),
                               .m = rows()};
    const auto multiply = rows() <= cuda::kStreamRows ? cuda::stream_codes : cuda::tile_codes;
    check(multiply(problem().scheme.weights.bits, args, the_stream()), "multiplying");
  }

 private:
  /// A number a channel, with zeros for those that fill up; nothing where there are none.
  DeviceMemory of_channels(std::span<const float> numbers) const {
    if (numbers.empty()) return {};
    std::vector<float> all(numbers.begin(), numbers.end());
    all.resize(static_cast<std::size_t>(blocks_ * cuda::kBlock));
    return DeviceMemory(std::span<const float>(all));
  }
  std::size_t input_bytes() const {
    const std::int64_t most = cuda::round_up(problem().m_max, kRowsAtOnce);
    return static_cast<std::size_t>(most * lines_ * cuda::kLine) * sizeof(std::uint16_t);
  }

  std::int64_t blocks_, lines_, groups_;
  DeviceMemory words_, scales_, zeros_, bias_;
  DeviceMemory input_;  // x in FP16
};

class CodesKernel final : public Kernel {
 public:
  CodesKernel(std::string_view name, int bits, bool zero_points)
      : info_(kernel_info(name)), bits_(bits), zero_points_(zero_points) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (!takes(problem.scheme)) {
      return Refusal{fmt::format("takes W{}A16 {} in groups of 32, 64 or 128 only", bits_,
                                 zero_points_ ? "asymmetric" : "symmetric")};
    }
    return cuda::refuses_on_device(problem);
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    return std::make_unique<CodesLayer>(problem, cuda::pack_codes(weights, device.threads), bias);
  }

 private:
  bool takes(const Scheme& scheme) const {
    const NumberFormat& weights = scheme.weights;
    return weights.kind == Kind::integer && weights.bits == bits_ &&
           weights.zero_points == zero_points_ && weights.per == Granularity::block &&
           weights.scales == DType::f16 && !scheme.quantizes_input() &&
           (weights.block == 32 || weights.block == 64 || weights.block == 128);
  }

  KernelInfo info_;
  int bits_;
  bool zero_points_;
};

}  // namespace

const Kernel& linear_f16_s4g_f32_cuda() {
  static const CodesKernel kernel("linear_f16_s4g_f32_cuda", 4, false);
  return kernel;
}

const Kernel& linear_f16_u4g_f32_cuda() {
  static const CodesKernel kernel("linear_f16_u4g_f32_cuda", 4, true);
  return kernel;
}

const Kernel& linear_f16_s8g_f32_cuda() {
  static const CodesKernel kernel("linear_f16_s8g_f32_cuda", 8, false);
  return kernel;
}

const Kernel& linear_f16_u8g_f32_cuda() {
  static const CodesKernel kernel("linear_f16_u8g_f32_cuda", 8, true);
  return kernel;
}

}  // namespace qassay
