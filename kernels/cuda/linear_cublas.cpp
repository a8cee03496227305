// Linear layers by cuBLAS: floating formats, and the exact products of int8 codes between
// quantization and scaling of our own. cublasGemmEx and not cuBLASLt, on which it rests: it also
// knows kernels for one row, and what is compared with it is to be compared with the best that it
// has.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "kernels/adapters/int8_codes.hpp"
#include "kernels/cuda/cublas_library.hpp"
#include "kernels/cuda/device_layer.hpp"
#include "kernels/cuda/functions.h"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/longest_sum.hpp"

namespace qassay {
namespace {

using cuda::check;
using cuda::DeviceMemory;
using cuda::ProductTypes;
using cuda::the_stream;

constexpr std::int64_t kAligned =
    16;  // bytes: rows of factors that are not FP32, for the tensor cores

constexpr ProductTypes kF32{CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
constexpr ProductTypes kTf32{CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32};
constexpr ProductTypes kF16{CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F};
constexpr ProductTypes kBf16{CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
constexpr ProductTypes kInt8{CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I};

std::string cublas_words(std::string_view arithmetic) {
  return fmt::format("cublasGemmEx {}, cuBLAS {}, {}", arithmetic, cuda::cublas_state().version,
                     cuda::device_state().name);
}

/// FP32, FP16 or BF16 weights W[n, stride], zero from k on.
class FloatLayer final : public cuda::DeviceLayer {
 public:
  FloatLayer(const Problem& problem, const ProductTypes& types, const QuantMatrix& weights,
             std::span<const float> bias)
      : DeviceLayer(problem, problem.n),
        types_(types),
        stride_(is_f32() ? problem.k : cuda::round_up(problem.k, kAligned / 2)),
        weights_(in_rows(weights)),
        bias_(bias),
        input_(is_f32() ? 0 : static_cast<std::size_t>(problem.m_max * stride_) * 2) {}
  FloatLayer(const FloatLayer& other)
      : DeviceLayer(other.problem(), other.problem().n),
        types_(other.types_),
        stride_(other.stride_),
        weights_(other.weights_.copy()),
        bias_(other.bias_.copy()),
        input_(other.input_.bytes()) {}

  std::size_t packed_bytes() const override { return weights_.bytes() + bias_.bytes(); }
  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem(), m, packed_bytes(),
                      is_f32() ? Traffic::Unit::f32 : Traffic::Unit::bf16);
  }
  std::string implementation() const override {
    if (types_.factors == CUDA_R_16F) return cublas_words("F16");
    if (types_.factors == CUDA_R_16BF) return cublas_words("BF16");
    return cublas_words(types_.compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? "TF32" : "F32");
  }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<FloatLayer>(*this); }

 protected:
  void enqueue_input() override {
    if (is_f32()) return;
    const auto round = types_.factors == CUDA_R_16F ? cuda::rows_to_f16 : cuda::rows_to_bf16;
    check(round(x(), rows(), problem().k, input_.as<std::uint16_t>(), stride_, the_stream()),
          "rounding x");
  }
  void enqueue_product() override {
    const void* const input = is_f32() ? static_cast<const void*>(x()) : input_.as<void>();
    cuda::enqueue_product(types_, rows(), problem().n, stride_, input, weights_.as<void>(), y());
    if (bias_.bytes() == 0) return;
    check(cuda::add_bias(y(), rows(), problem().n, bias_.as<float>(), the_stream()),
          "adding a bias");
  }

 private:
  bool is_f32() const { return types_.factors == CUDA_R_32F; }
  DeviceMemory in_rows(const QuantMatrix& weights) const {
    if (is_f32()) return DeviceMemory(std::span(weights.values));
    const std::vector<std::byte> rows =
        cuda::padded(weights.halves.data(), weights.n, weights.k * 2, weights.n, stride_ * 2);
    return DeviceMemory(std::span(rows));
  }

  ProductTypes types_;
  std::int64_t stride_;
  DeviceMemory weights_, bias_;
  DeviceMemory input_;  // x in the weights' format
};

/// Codes W[channels, stride] of int8, both padded with zeros.
class IntegerLayer final : public cuda::DeviceLayer {
 public:
  IntegerLayer(const Problem& problem, const QuantMatrix& weights, std::span<const float> bias)
      : DeviceLayer(problem, channels_of(problem)),
        weights_(in_rows(problem, weights)),
        scales_(of_channels(problem, weights.scales)),
        bias_(of_channels(problem, bias)) {
    make_room();
  }
  IntegerLayer(const IntegerLayer& other)
      : DeviceLayer(other.problem(), channels_of(other.problem())),
        weights_(other.weights_.copy()),
        scales_(other.scales_.copy()),
        bias_(other.bias_.copy()) {
    make_room();
  }

  std::size_t packed_bytes() const override {
    return weights_.bytes() + scales_.bytes() + bias_.bytes();
  }
  Traffic traffic(std::int64_t m) const override {
    return traffic_of(problem(), m, packed_bytes(), Traffic::Unit::int8);
  }
  std::string implementation() const override { return cublas_words("INT8"); }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<IntegerLayer>(*this); }

 protected:
  bool times_input() const override { return true; }
  void enqueue_input() override {
    check(cudaMemsetAsync(not_finite_.as<void>(), 0, not_finite_.bytes(), the_stream()),
          "quantizing x");
    check(cuda::rows_to_s8(x(), rows(), problem().k, codes_.as<std::int8_t>(), stride_of(problem()),
                           row_scales_.as<float>(), not_finite_.as<int>(), the_stream()),
          "quantizing x");
  }
  void enqueue_product() override {
    const std::int64_t channels = channels_of(problem());
    cuda::enqueue_product(kInt8, rows(), channels, stride_of(problem()), codes_.as<void>(),
                          weights_.as<void>(), y());
    check(cuda::scale_sums(y(), rows(), channels, scales_.as<float>(), row_scales_.as<float>(),
                           bias_.as<float>(), the_stream()),
          "scaling sums");
  }
  void check_input() override {
    int not_finite = 0;
    check(cudaMemcpyAsync(&not_finite, not_finite_.as<int>(), sizeof(int), cudaMemcpyDeviceToHost,
                          the_stream()),
          "looking at x");
    check(cudaStreamSynchronize(the_stream()), "looking at x");
    if (not_finite == 0) return;
    throw InputError("activations", "a value is not a finite number",
                     "check the model and its input for NaN and infinity");
  }

 private:
  static std::int64_t channels_of(const Problem& problem) {
    return cuda::round_up(problem.n, kAligned);
  }
  static std::int64_t stride_of(const Problem& problem) {
    return cuda::round_up(problem.k, kAligned);
  }
  static DeviceMemory in_rows(const Problem& problem, const QuantMatrix& weights) {
    const std::vector<std::int8_t> codes = signed_codes(weights);
    const std::vector<std::byte> rows =
        cuda::padded(codes.data(), problem.n, problem.k, channels_of(problem), stride_of(problem));
    return DeviceMemory(std::span(rows));
  }
  /// One number a channel, with zeros for those that fill up; nothing where there are none.
  static DeviceMemory of_channels(const Problem& problem, std::span<const float> numbers) {
    if (numbers.empty()) return {};
    std::vector<float> all(numbers.begin(), numbers.end());
    all.resize(static_cast<std::size_t>(channels_of(problem)));
    return DeviceMemory(std::span<const float>(all));
  }
  void make_room() {
    const auto rows_at_most = static_cast<std::size_t>(problem().m_max);
    codes_ = DeviceMemory(rows_at_most * static_cast<std::size_t>(stride_of(problem())));
    row_scales_ = DeviceMemory(rows_at_most * sizeof(float));
    not_finite_ = DeviceMemory(sizeof(int));
  }

  DeviceMemory weights_, scales_, bias_;
  DeviceMemory codes_, row_scales_, not_finite_;  // of x
};

class CublasKernel final : public Kernel {
 public:
  CublasKernel(std::string_view name, std::string_view scheme, const ProductTypes& types)
      : info_(kernel_info(name)), scheme_(parse_scheme(scheme)), types_(types) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    if (scheme_.quantizes_input() && problem.k > kLongestSum)
      return Refusal{"k is so long that an int32 sum can overflow"};
    if (auto refusal = cuda::refuses_on_device(problem)) return refusal;
    return cuda::cublas_state().refuses();
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias, const Device&) const override {
    if (scheme_.quantizes_input()) return std::make_unique<IntegerLayer>(problem, weights, bias);
    return std::make_unique<FloatLayer>(problem, types_, weights, bias);
  }

 private:
  KernelInfo info_;
  Scheme scheme_;
  ProductTypes types_;
};

}  // namespace

Backend cuda_backend() { return {"cuda", cuda::device_state().name, cuda::device_state().missing}; }

Backend cuda_tf32_backend() {
  const cuda::DeviceState& device = cuda::device_state();
  if (!device.missing.empty()) return {"cuda_tf32", "", device.missing};
  const cuda::CublasState& cublas = cuda::cublas_state();  // takes a while to load
  if (!cublas.missing.empty()) return {"cuda_tf32", "", cublas.missing};
  return {"cuda_tf32", device.name, ""};
}

const Kernel& linear_f32_f32_f32_cuda() {
  static const CublasKernel kernel("linear_f32_f32_f32_cuda", "FP32", kF32);
  return kernel;
}

const Kernel& linear_f32_f32_f32_cuda_tf32() {
  static const CublasKernel kernel("linear_f32_f32_f32_cuda_tf32", "FP32", kTf32);
  return kernel;
}

const Kernel& linear_f16_f16_f32_cuda() {
  static const CublasKernel kernel("linear_f16_f16_f32_cuda", "FP16", kF16);
  return kernel;
}

const Kernel& linear_bf16_bf16_f32_cuda() {
  static const CublasKernel kernel("linear_bf16_bf16_f32_cuda", "BF16", kBf16);
  return kernel;
}

const Kernel& linear_a8r_s8c_f32_cuda() {
  static const CublasKernel kernel("linear_a8r_s8c_f32_cuda", "W8A8", kInt8);
  return kernel;
}

}  // namespace qassay
