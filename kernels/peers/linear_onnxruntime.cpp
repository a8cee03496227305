// Linear layers by ONNX Runtime: a model of one MatMul (and Add, where there is a bias) or one
// com.microsoft.MatMulNBits. Of its accuracy levels, 4 quantizes x by blocks inside the call and
// multiplies codes; 0 widens the weights to FP32.

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/adapters/dense_rows.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/peers/onnx_model.hpp"
#include "kernels/peers/onnxruntime_library.hpp"

namespace qassay {
namespace {

/// What a layer's copies share. `weight_bytes`: of the codes or numbers, scales and bias.
struct Shared {
  Problem problem;
  int threads;
  std::size_t weight_bytes;
  std::string model;
};

std::string operator_text(const Scheme& scheme) {
  if (scheme.weights.kind == Kind::f32) return "MatMul";
  return fmt::format("MatMulNBits of {} bits, block {}, accuracy level {}", scheme.weights.bits,
                     scheme.weights.block, scheme.quantizes_input() ? 4 : 0);
}

class OnnxPrepared final : public Prepared {
 public:
  explicit OnnxPrepared(std::shared_ptr<const Shared> shared)
      : shared_(std::move(shared)), model_(shared_->model, shared_->threads) {}

  /// What it was given: what it keeps is that, filled up, or lies where we do not see it.
  std::size_t packed_bytes() const override { return shared_->weight_bytes; }
  /// Weights that no operator packs are not in the sessions' memory.
  std::vector<std::span<const std::byte>> packed() const override {
    std::size_t bytes = 0;
    for (const std::span<const std::byte> piece : model_.constants()) bytes += piece.size();
    if (bytes < packed_bytes()) return {};
    return model_.constants();
  }
  std::size_t workspace_bytes() const override { return 0; }

  Traffic traffic(std::int64_t m) const override {
    const bool codes = shared_->problem.scheme.quantizes_input();
    return traffic_of(shared_->problem, m, packed_bytes(),
                      codes ? Traffic::Unit::int8 : Traffic::Unit::f32);
  }

  std::string implementation() const override {
    return fmt::format("onnxruntime {}, {}", onnxruntime::library().state.version,
                       operator_text(shared_->problem.scheme));
  }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    model_.run(dense_x_.gather(x, 1), x.cols, dense_y_.room(y), y.cols, x.rows);
    dense_y_.scatter(y, 1);
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<OnnxPrepared>(shared_);
  }

 private:
  std::shared_ptr<const Shared> shared_;
  onnxruntime::LoadedModel model_;
  DenseRows dense_x_;
  DenseRows dense_y_;
};

/// W[n,k] as MatMul wants it: [k,n].
std::vector<float> transposed(const QuantMatrix& weights) {
  std::vector<float> out(weights.values.size());
  for (std::int64_t n = 0; n < weights.n; ++n) {
    for (std::int64_t k = 0; k < weights.k; ++k)
      out[static_cast<std::size_t>(k * weights.n + n)] =
          weights.values[static_cast<std::size_t>(n * weights.k + k)];
  }
  return out;
}

/// Codes as MatMulNBits wants them, [n][blocks][block * bits / 8]: 4-bit ones in pairs, the first
/// low; the last block of a row filled up with the code of zero.
std::vector<std::uint8_t> packed_codes(const QuantMatrix& weights) {
  const NumberFormat& format = weights.scheme.weights;
  const std::int64_t padded = blocks_per_row(format, weights.k) * format.block;
  const bool pairs = format.bits == 4;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(weights.n * padded / (pairs ? 2 : 1)));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < weights.n; ++n) {
    const auto code = [&](std::int64_t k) {
      return k < weights.k ? int{weights.codes[static_cast<std::size_t>(n * weights.k + k)]}
                           : 1 << (format.bits - 1);
    };
    for (std::int64_t k = 0; k < padded; k += pairs ? 2 : 1)
      out[at++] = static_cast<std::uint8_t>(pairs ? code(k) | code(k + 1) << 4 : code(k));
  }
  return out;
}

class OnnxKernel final : public Kernel {
 public:
  OnnxKernel(std::string_view name, std::string_view scheme)
      : info_(kernel_info(name)), scheme_(parse_scheme(scheme)) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    if (auto refusal = onnxruntime::library().state.refuses()) return refusal;
    // A model is one protobuf message, which has less than 2 GiB; codes may be padded to blocks.
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() / 2;
    if (problem.n > kMost / 4 / (problem.k + scheme_.weights.block))
      return Refusal{"the weights are larger than a model of ONNX may be"};
    return std::nullopt;
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    onnx::Model model{.inputs = problem.k, .outputs = problem.n, .constants = {}, .nodes = {}};
    if (!bias.empty())
      model.constants.push_back({"bias", onnx::Type::f32, {problem.n}, std::as_bytes(bias)});
    const bool floats = scheme_.weights.kind == Kind::f32;
    const std::vector<float> numbers = floats ? transposed(weights) : std::vector<float>();
    const std::vector<std::uint8_t> codes =
        floats ? std::vector<std::uint8_t>() : packed_codes(weights);
    if (floats) {
      add_product(model, numbers);
    } else {
      add_product_of_codes(model, codes, weights.scales);
    }
    std::size_t bytes = 0;
    for (const onnx::Constant& constant : model.constants) bytes += constant.data.size();
    return std::make_unique<OnnxPrepared>(std::make_shared<const Shared>(
        Shared{problem, device.threads, bytes, onnx::serialize(model)}));
  }

 private:
  static void add_product(onnx::Model& model, const std::vector<float>& numbers) {
    const bool bias = !model.constants.empty();
    model.constants.push_back({"weights",
                               onnx::Type::f32,
                               {model.inputs, model.outputs},
                               std::as_bytes(std::span(numbers))});
    model.nodes.push_back({"MatMul", "", {"x", "weights"}, bias ? "product" : "y", {}});
    if (bias) model.nodes.push_back({"Add", "", {"product", "bias"}, "y", {}});
  }

  void add_product_of_codes(onnx::Model& model, const std::vector<std::uint8_t>& codes,
                            const std::vector<float>& scales) const {
    const NumberFormat& format = scheme_.weights;
    const std::int64_t blocks = blocks_per_row(format, model.inputs);
    std::vector<std::string> inputs{"x", "codes", "scales"};
    // In between stand zero points and an order of groups, which are left out.
    if (!model.constants.empty()) inputs.insert(inputs.end(), {"", "", "bias"});
    model.constants.push_back({"codes",
                               onnx::Type::u8,
                               {model.outputs, blocks, format.block * format.bits / 8},
                               std::as_bytes(std::span(codes))});
    model.constants.push_back(
        {"scales", onnx::Type::f32, {model.outputs, blocks}, std::as_bytes(std::span(scales))});
    model.nodes.push_back({"MatMulNBits",
                           "com.microsoft",
                           std::move(inputs),
                           "y",
                           {{"K", model.inputs},
                            {"N", model.outputs},
                            {"bits", format.bits},
                            {"block_size", format.block},
                            {"accuracy_level", scheme_.quantizes_input() ? 4 : 0}}});
  }

  KernelInfo info_;
  Scheme scheme_;
};

}  // namespace

Backend onnxruntime_backend() { return onnxruntime::library().state.backend("onnxruntime"); }

const Kernel& linear_f32_f32_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_f32_f32_f32_onnxruntime", "FP32");
  return kernel;
}

const Kernel& linear_a8g_s8g32_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_a8g_s8g32_f32_onnxruntime", "W8A8-g32-blocked");
  return kernel;
}

const Kernel& linear_a8g_s4g32_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_a8g_s4g32_f32_onnxruntime", "W4A8-g32-blocked");
  return kernel;
}

const Kernel& linear_a8g_s4g128_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_a8g_s4g128_f32_onnxruntime", "W4A8-g128-blocked");
  return kernel;
}

const Kernel& linear_f32_s8g32_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_f32_s8g32_f32_onnxruntime", "W8A16-g32");
  return kernel;
}

const Kernel& linear_f32_s4g32_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_f32_s4g32_f32_onnxruntime", "W4A16-g32");
  return kernel;
}

const Kernel& linear_f32_s4g128_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_f32_s4g128_f32_onnxruntime", "W4A16-g128");
  return kernel;
}

}  // namespace qassay
