// Linear layers by ONNX Runtime: a model of one MatMul (and Add, where there is a bias) or one
// com.microsoft.MatMulNBits. Of its accuracy levels, 4 quantizes x by blocks inside the call and
// multiplies codes; 0 widens the weights to FP32.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/adapters/dense_rows.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/peers/onnxruntime_library.hpp"

namespace qassay {
namespace {

std::string operator_text(const Scheme& scheme) {
  if (scheme.weights.kind == Kind::f32) return "MatMul";
  return fmt::format("MatMulNBits of {} bits, block {}, accuracy level {}", scheme.weights.bits,
                     scheme.weights.block, scheme.quantizes_input() ? 4 : 0);
}

using onnxruntime::Weights;

/// Weights as they are, in memory of their own.
std::shared_ptr<const Weights> copied(const Weights& weights) {
  auto copy = std::make_shared<Weights>();
  copy->model = weights.model;
  for (const Buffer& constant : weights.constants) {
    copy->constants.emplace_back(constant.size());
    std::copy_n(constant.data(), constant.size(), copy->constants.back().data());
  }
  return copy;
}

class OnnxPrepared final : public Prepared {
 public:
  OnnxPrepared(const Problem& problem, std::shared_ptr<const Weights> weights, int threads)
      : problem_(problem),
        weights_(std::move(weights)),
        threads_(threads),
        model_(weights_, threads) {}

  /// What it was given: what it packs is that, filled up.
  std::size_t packed_bytes() const override { return weights_->bytes(); }
  std::vector<std::span<const std::byte>> packed() const override { return model_.constants(); }
  std::size_t workspace_bytes() const override { return 0; }

  Traffic traffic(std::int64_t m) const override {
    const bool codes = problem_.scheme.quantizes_input();
    return traffic_of(problem_, m, packed_bytes(),
                      codes ? Traffic::Unit::int8 : Traffic::Unit::f32);
  }

  std::string implementation() const override {
    return fmt::format("onnxruntime {}, {}", onnxruntime::library().state.version,
                       operator_text(problem_.scheme));
  }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    model_.run(dense_x_.gather(x, 1), x.cols, dense_y_.room(y), y.cols, x.rows);
    dense_y_.scatter(y, 1);
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<OnnxPrepared>(problem_, model_.packs() ? weights_ : copied(*weights_),
                                          threads_);
  }

 private:
  Problem problem_;
  std::shared_ptr<const Weights> weights_;
  int threads_;
  onnxruntime::LoadedModel model_;
  DenseRows dense_x_;
  DenseRows dense_y_;
};

template <typename T>
Buffer buffer_of(std::span<const T> values) {
  Buffer buffer(values.size_bytes());
  std::copy(values.begin(), values.end(), buffer.template as<T>());
  return buffer;
}

/// W[n,k] as MatMul wants it: [k,n].
Buffer transposed(const QuantMatrix& weights, int threads) {
  constexpr std::int64_t kSide = 32;  // of a square that stays in L1
  Buffer buffer(weights.values.size() * sizeof(float));
  const float* const in = weights.values.data();
  auto* const out = buffer.as<float>();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t k = 0; k < weights.k; k += kSide) {
    for (std::int64_t n = 0; n < weights.n; n += kSide) {
      for (std::int64_t i = k; i < std::min(k + kSide, weights.k); ++i) {
        for (std::int64_t j = n; j < std::min(n + kSide, weights.n); ++j)
          out[i * weights.n + j] = in[j * weights.k + i];
      }
    }
  }
  return buffer;
}

/// Codes as MatMulNBits wants them, [n][blocks][block * bits / 8]: 4-bit ones in pairs, the first
/// low; the last block of a row filled up with the code of zero.
Buffer packed_codes(const QuantMatrix& weights, int threads) {
  const NumberFormat& format = weights.scheme.weights;
  const std::int64_t padded = blocks_per_row(format, weights.k) * format.block;
  const bool pairs = format.bits == 4;
  const std::int64_t row_bytes = padded / (pairs ? 2 : 1);
  Buffer buffer(static_cast<std::size_t>(weights.n * row_bytes));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t n = 0; n < weights.n; ++n) {
    auto* const out = buffer.as<std::uint8_t>() + n * row_bytes;
    const std::uint8_t* const codes = weights.codes.data() + n * weights.k;
    const auto code = [&](std::int64_t k) {
      return k < weights.k ? int{codes[k]} : 1 << (format.bits - 1);
    };
    for (std::int64_t i = 0; i < row_bytes; ++i)
      out[i] = static_cast<std::uint8_t>(pairs ? code(2 * i) | code(2 * i + 1) << 4 : code(i));
  }
  return buffer;
}

class OnnxKernel final : public Kernel {
 public:
  OnnxKernel(std::string_view name, std::string_view scheme)
      : info_(kernel_info(name)), scheme_(parse_scheme(scheme)) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    return onnxruntime::library().state.refuses();
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    auto given = std::make_shared<Weights>();
    given->model = {.inputs = problem.k, .outputs = problem.n, .constants = {}, .nodes = {}};
    const auto add = [&](const char* name, onnx::Type type, std::vector<std::int64_t> sides,
                         Buffer data) {
      given->model.constants.push_back({name, type, std::move(sides)});
      given->constants.push_back(std::move(data));
    };
    if (!bias.empty()) add("bias", onnx::Type::f32, {problem.n}, buffer_of(bias));
    if (scheme_.weights.kind == Kind::f32) {
      add("weights", onnx::Type::f32, {problem.k, problem.n}, transposed(weights, device.threads));
      given->model.nodes = product(!bias.empty());
    } else {
      const NumberFormat& format = scheme_.weights;
      const std::int64_t blocks = blocks_per_row(format, problem.k);
      add("codes", onnx::Type::u8, {problem.n, blocks, format.block * format.bits / 8},
          packed_codes(weights, device.threads));
      add("scales", onnx::Type::f32, {problem.n, blocks}, buffer_of(std::span(weights.scales)));
      given->model.nodes = {product_of_codes(problem, !bias.empty())};
    }
    return std::make_unique<OnnxPrepared>(problem, std::move(given), device.threads);
  }

 private:
  static std::vector<onnx::Node> product(bool bias) {
    std::vector<onnx::Node> nodes{{"MatMul", "", {"x", "weights"}, bias ? "product" : "y", {}}};
    if (bias) nodes.push_back({"Add", "", {"product", "bias"}, "y", {}});
    return nodes;
  }

  onnx::Node product_of_codes(const Problem& problem, bool bias) const {
    std::vector<std::string> inputs{"x", "codes", "scales"};
    // In between stand zero points and an order of groups, which are left out.
    if (bias) inputs.insert(inputs.end(), {"", "", "bias"});
    return {"MatMulNBits",
            "com.microsoft",
            std::move(inputs),
            "y",
            {{"K", problem.k},
             {"N", problem.n},
             {"bits", scheme_.weights.bits},
             {"block_size", scheme_.weights.block},
             {"accuracy_level", scheme_.quantizes_input() ? 4 : 0}}};
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

const Kernel& linear_a8g_s8g128_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_a8g_s8g128_f32_onnxruntime", "W8A8-g128-blocked");
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

const Kernel& linear_f32_s8g128_f32_onnxruntime() {
  static const OnnxKernel kernel("linear_f32_s8g128_f32_onnxruntime", "W8A16-g128");
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
