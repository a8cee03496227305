// FP32 linear layers by OpenBLAS: sgemv for one row, sgemm for more, on plain row-major weights.

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "kernels/adapters/omp_threads.hpp"
#include "kernels/adapters/packed_weights.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/layer_kind.hpp"

namespace qassay {
namespace {

constexpr std::size_t kBias = 0;  // index in PackedWeights

class OpenBlasPrepared final : public Prepared {
 public:
  OpenBlasPrepared(std::int64_t n, std::int64_t k, PackedWeights packed, int threads)
      : n_(n), k_(k), packed_(std::move(packed)), threads_(threads) {}

  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::vector<std::span<const std::byte>> packed() const override {
    return {{packed_.weights(), packed_.bytes()}};
  }
  std::size_t workspace_bytes() const override { return 0; }

  Traffic traffic(std::int64_t m) const override {
    return {.weight_bytes = static_cast<double>(packed_bytes()),
            .activation_bytes = 4.0 * static_cast<double>(m * (k_ + n_)),
            .operations = 2.0 * static_cast<double>(m * n_ * k_)};
  }

  std::string implementation() const override {
    return fmt::format("{}, core {}", openblas_get_config(), openblas_get_corename());
  }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    const OmpThreads as_many(threads_);
    start_with_bias(y);
    const auto n = static_cast<blasint>(n_);
    const auto k = static_cast<blasint>(k_);
    const auto* const weights = reinterpret_cast<const float*>(packed_.weights());
    if (x.rows == 1) {
      cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1.0F, weights, k, x.data, 1, 1.0F, y.data, 1);
    } else {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<blasint>(x.rows), n, k, 1.0F,
                  x.data, static_cast<blasint>(x.stride), weights, k, 1.0F, y.data,
                  static_cast<blasint>(y.stride));
    }
  }

  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<OpenBlasPrepared>(n_, k_, packed_.copy(), threads_);
  }

 private:
  /// With beta = 1 the product is added to the bias; what y held before is never read.
  void start_with_bias(Matrix y) const {
    const float* const bias = packed_.vector(kBias);
#pragma omp parallel for num_threads(threads_) schedule(static) if (y.rows > 1)
    for (std::int64_t i = 0; i < y.rows; ++i) {
      if (bias == nullptr) {
        std::fill_n(y.row(i), n_, 0.0F);
      } else {
        std::copy_n(bias, n_, y.row(i));
      }
    }
  }

  std::int64_t n_;
  std::int64_t k_;
  PackedWeights packed_;
  int threads_;
};

class OpenBlasKernel final : public Kernel {
 public:
  explicit OpenBlasKernel(std::string_view name)
      : info_(kernel_info(name)), scheme_(parse_scheme("FP32")) {}

  const KernelInfo& info() const override { return info_; }

  std::optional<Refusal> accepts(const Problem& problem) const override {
    if (auto refusal = refuses_kind(LayerKind::linear, problem)) return refusal;
    if (problem.scheme != scheme_) return Refusal{fmt::format("takes {} only", to_string(scheme_))};
    if (std::max({problem.m_max, problem.n, problem.k}) > std::numeric_limits<blasint>::max())
      return Refusal{"a side is longer than OpenBLAS can count"};
    return std::nullopt;
  }

  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override {
    const auto plain = std::as_bytes(std::span(weights.values));
    PackedWeights packed(plain.size(), {bias}, device.threads);
    std::copy(plain.begin(), plain.end(), packed.weights());
    return std::make_unique<OpenBlasPrepared>(problem.n, problem.k, std::move(packed),
                                              device.threads);
  }

 private:
  KernelInfo info_;
  Scheme scheme_;
};

}  // namespace

std::string_view openblas_version() {
  // "OpenBLAS 0.3.21 USE_OPENMP ...": the second word.
  static const std::string version = [] {
    const std::string config = openblas_get_config();
    const std::size_t begin = config.find(' ') + 1;
    return config.substr(begin, config.find(' ', begin) - begin);
  }();
  return version;
}

const Kernel& linear_f32_f32_f32_openblas() {
  static const OpenBlasKernel kernel("linear_f32_f32_f32_openblas");
  return kernel;
}

}  // namespace qassay
