// Linear layers by ggml's CPU backend: a graph of its MUL_MAT, and of its ADD where there is a
// bias. ggml converts x to the format that its products want, inside the call.

#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.hpp"
#include "kernels/adapters/dense_rows.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/peers/ggml_blocks.hpp"
#include "kernels/peers/ggml_library.hpp"

namespace qassay {
namespace {

using ggml::Api;
using ggml::Type;

const Api& api() { return ggml::library().api; }

/// What a layer's copies share. `plain`: the weights before ggml packs them.
struct Shared {
  Problem problem;
  Type type;
  int threads;
  std::vector<std::byte> plain;
  Buffer bias;
  std::shared_ptr<ggml::Engine> engine;
};

/// The weights of a layer as a tensor of ggml's.
class Weights {
 public:
  explicit Weights(const Shared& shared) : context_(ggml::make_context(4)) {
    repacked_ = shared.type == Type::q4_0 && allocate(shared, api().cpu_repack_buffer_type()) &&
                api().supports_op(shared.engine->backend(), product());
    if (!repacked_) {
      context_ = ggml::make_context(4);
      if (!allocate(shared, api().cpu_buffer_type())) throw std::bad_alloc();
    }
    api().tensor_set(tensor_, shared.plain.data(), 0, shared.plain.size());
  }

  ggml::Tensor* tensor() const { return tensor_; }
  bool repacked() const { return repacked_; }

 private:
  bool allocate(const Shared& shared, ggml::BufferType* where) {
    tensor_ = api().new_tensor_2d(context_.get(), shared.type, shared.problem.k, shared.problem.n);
    row_ = shared.problem.k;
    buffer_.reset(api().alloc_ctx_tensors_from_buft(context_.get(), where));
    return buffer_ != nullptr;
  }
  /// Whether ggml can multiply with a packed tensor is asked of a product; one that it cannot pack
  /// would crash it.
  ggml::Tensor* product() const {
    ggml::Tensor* x = api().new_tensor_2d(context_.get(), Type::f32, row_, 1);
    return api().mul_mat(context_.get(), tensor_, x);
  }

  ggml::ContextPointer context_;
  ggml::BufferPointer buffer_;
  ggml::Tensor* tensor_ = nullptr;
  std::int64_t row_ = 0;
  bool repacked_ = false;
};

/// The graph of a call, with x and y where the caller has them.
struct Call {
  Call(const Shared& shared, const Weights& weights, const float* x, std::int64_t rows, float* y)
      : x_at(x), m(rows), y_at(y), context(ggml::make_context(8)) {
    const Problem& problem = shared.problem;
    ggml::Tensor* input = api().new_tensor_2d(context.get(), Type::f32, problem.k, m);
    ggml::Tensor* output = api().mul_mat(context.get(), weights.tensor(), input);
    memory.push_back(ggml::place(input, const_cast<float*>(x)));  // which ggml only reads
    memory.push_back(ggml::place(output, y));
    if (shared.bias.size() > 0) {
      ggml::Tensor* bias = api().new_tensor_1d(context.get(), Type::f32, problem.n);
      memory.push_back(ggml::place(bias, shared.bias.data()));
      output = api().add_inplace(context.get(), output, bias);
      if (api().view_init(output) != 0) throw std::runtime_error("ggml makes no view");
    }
    graph = api().new_graph_custom(context.get(), 8, false);
    api().build_forward_expand(graph, output);
  }

  bool is_for(const float* x, std::int64_t rows, const float* y) const {
    return x == x_at && rows == m && y == y_at;
  }

  const float* x_at;
  std::int64_t m;
  float* y_at;
  ggml::ContextPointer context;
  std::vector<ggml::BufferPointer> memory;
  ggml::Graph* graph = nullptr;
};

class GgmlPrepared final : public Prepared {
 public:
  explicit GgmlPrepared(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), weights_(*shared_) {}

  /// ggml's packed weights have as many bytes as its blocks.
  std::size_t packed_bytes() const override { return shared_->plain.size() + shared_->bias.size(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {
        {static_cast<const std::byte*>(api().get_data(weights_.tensor())), shared_->plain.size()}};
  }
  std::size_t workspace_bytes() const override { return 0; }

  Traffic traffic(std::int64_t m) const override {
    return traffic_of(shared_->problem, m, packed_bytes(), unit());
  }

  std::string implementation() const override {
    return fmt::format("ggml {}, {}, {}", ggml::library().state.version, ggml::library().file,
                       format());
  }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    const float* const input = aligned_x_.gather(x, 1);
    float* const output = aligned_y_.room(y);
    if (!call_ || !call_->is_for(input, x.rows, output))
      call_ = std::make_unique<Call>(*shared_, weights_, input, x.rows, output);
    shared_->engine->compute(call_->graph);
    aligned_y_.scatter(y, 1);
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<GgmlPrepared>(shared_);
  }

 private:
  Traffic::Unit unit() const {
    switch (shared_->type) {
      case Type::q4_0:
      case Type::q8_0:
        return Traffic::Unit::int8;
      case Type::bf16:
        return api().cpu_has_avx512_bf16() != 0 ? Traffic::Unit::bf16 : Traffic::Unit::f32;
      case Type::f32:
      case Type::f16:
        break;
    }
    return Traffic::Unit::f32;
  }

  std::string format() const {
    switch (shared_->type) {
      case Type::f32:
        return "F32";
      case Type::f16:
        return "F16";
      case Type::bf16:
        return "BF16";
      case Type::q8_0:
        return "Q8_0";
      case Type::q4_0:
        break;
    }
    return weights_.repacked() ? "Q4_0 repacked" : "Q4_0";
  }

  std::shared_ptr<Shared> shared_;
  Weights weights_;
  DenseRows aligned_x_{ggml::kAlignment};
  DenseRows aligned_y_{ggml::kAlignment};
  std::unique_ptr<Call> call_;  // the last one
};

class GgmlKernel final : public Kernel {
 public:
  GgmlKernel(std::string_view name, std::string_view scheme, Type type)
      : info_(kernel_info(name)), scheme_(parse_scheme(scheme)), type_(type) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    if (auto refusal = ggml::library().state.refuses()) return refusal;
    if (scheme_.blocks_input() && problem.k % ggml::kBlock != 0)
      return Refusal{fmt::format("k is no multiple of ggml's block of {}", ggml::kBlock)};
    return std::nullopt;
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    auto shared = std::make_shared<Shared>(Shared{problem, type_, device.threads, plain_of(weights),
                                                  Buffer(bias.size_bytes()),
                                                  ggml::Engine::with_threads(device.threads)});
    std::copy(bias.begin(), bias.end(), shared->bias.as<float>());
    return std::make_unique<GgmlPrepared>(std::move(shared));
  }

 private:
  std::vector<std::byte> plain_of(const QuantMatrix& weights) const {
    if (scheme_.quantizes_input()) return ggml::blocks_of(weights);
    const auto bytes = type_ == Type::f32 ? std::as_bytes(std::span(weights.values))
                                          : std::as_bytes(std::span(weights.halves));
    return {bytes.begin(), bytes.end()};
  }

  KernelInfo info_;
  Scheme scheme_;
  Type type_;
};

}  // namespace

Backend ggml_backend() { return ggml::library().state.backend("ggml"); }

const Kernel& linear_f32_f32_f32_ggml() {
  static const GgmlKernel kernel("linear_f32_f32_f32_ggml", "FP32", Type::f32);
  return kernel;
}

const Kernel& linear_f16_f16_f32_ggml() {
  static const GgmlKernel kernel("linear_f16_f16_f32_ggml", "FP16", Type::f16);
  return kernel;
}

const Kernel& linear_bf16_bf16_f32_ggml() {
  static const GgmlKernel kernel("linear_bf16_bf16_f32_ggml", "BF16", Type::bf16);
  return kernel;
}

const Kernel& linear_a8g_s8g32_f32_ggml() {
  static const GgmlKernel kernel("linear_a8g_s8g32_f32_ggml", "W8A8-g32-blocked", Type::q8_0);
  return kernel;
}

const Kernel& linear_a8g_s4g32_f32_ggml() {
  static const GgmlKernel kernel("linear_a8g_s4g32_f32_ggml", "W4A8-g32-blocked", Type::q4_0);
  return kernel;
}

}  // namespace qassay
