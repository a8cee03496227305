#include "kernels/cuda/cublas_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

namespace qassay::cuda {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // what NVIDIA advises for Hopper

/// cublas_v2.h has this name twice, so that its type cannot be asked for.
using GemmEx = cublasStatus_t(cublasHandle_t, cublasOperation_t, cublasOperation_t, int m, int n,
                              int k, const void* alpha, const void* a, cudaDataType, int lda,
                              const void* b, cudaDataType, int ldb, const void* beta, void* c,
                              cudaDataType, int ldc, cublasComputeType_t, cublasGemmAlgo_t);

class Cublas {
 public:
  Cublas() {
    const std::string file = fmt::format("libcublas.so.{}", CUBLAS_VER_MAJOR);
    library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) {
      state.missing = fmt::format("cuBLAS cannot be loaded ({})", dlerror());
      return;
    }
    find("cublasGetProperty", property_);
    find("cublasGetStatusString", words_);
    find("cublasCreate_v2", create_);
    find("cublasSetStream_v2", set_stream_);
    find("cublasSetWorkspace_v2", set_workspace_);
    find("cublasGemmEx", multiply_);
    if (state.missing.empty())
      state.version =
          fmt::format("{}.{}.{}", part(MAJOR_VERSION), part(MINOR_VERSION), part(PATCH_LEVEL));
  }

  /// Made when the first product is asked for: it takes memory of the device.
  cublasHandle_t handle() {
    if (handle_ != nullptr) return handle_;
    cublasHandle_t made = nullptr;
    check(create_(&made), "making a handle");
    workspace_ = DeviceMemory(kWorkspaceBytes);
    check(set_stream_(made, the_stream()),
          "taking the stream");  // before the workspace, which it resets
    check(set_workspace_(made, workspace_.as<void>(), workspace_.bytes()), "taking a workspace");
    handle_ = made;
    return handle_;
  }
  template <typename... Arguments>
  void multiply(Arguments... arguments) {
    check(multiply_(handle(), arguments...), "multiplying");
  }

  CublasState state;

 private:
  template <typename Function>
  void find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(library_, name));
    if (function == nullptr && state.missing.empty())
      state.missing = fmt::format("cuBLAS has no {}", name);
  }
  int part(libraryPropertyType which) const {
    int value = 0;
    check(property_(which, &value), "asking for its version");
    return value;
  }
  void check(cublasStatus_t status, const char* what) const {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw std::runtime_error(fmt::format("cuBLAS: {}, {}", words_(status), what));
  }

  void* library_ = nullptr;
  decltype(&cublasGetProperty) property_ = nullptr;
  decltype(&cublasGetStatusString) words_ = nullptr;
  decltype(&cublasCreate_v2) create_ = nullptr;
  decltype(&cublasSetStream_v2) set_stream_ = nullptr;
  decltype(&cublasSetWorkspace_v2) set_workspace_ = nullptr;
  GemmEx* multiply_ = nullptr;
  cublasHandle_t handle_ = nullptr;
  DeviceMemory workspace_;
};

Cublas& cublas() {
  static Cublas library;
  return library;
}

}  // namespace

const CublasState& cublas_state() { return cublas().state; }

void enqueue_product(const ProductTypes& types, std::int64_t m, std::int64_t n, std::int64_t k,
                     const void* x, const void* weights, void* sums) {
  // Matrices of columns, to cuBLAS: sums^T[n, m] = (W^T)^T x^T.
  const auto rows = static_cast<int>(m);
  const auto channels = static_cast<int>(n);
  const auto length = static_cast<int>(k);
  const float one = 1;
  const float zero = 0;
  const std::int32_t whole_one = 1;
  const std::int32_t whole_zero = 0;
  const bool whole = types.compute == CUBLAS_COMPUTE_32I;
  const void* const alpha = whole ? static_cast<const void*>(&whole_one) : &one;
  const void* const beta = whole ? static_cast<const void*>(&whole_zero) : &zero;
  cublas().multiply(CUBLAS_OP_T, CUBLAS_OP_N, channels, rows, length, alpha, weights, types.factors,
                    length, x, types.factors, length, beta, sums, types.sums, channels,
                    types.compute, CUBLAS_GEMM_DEFAULT);
}

}  // namespace qassay::cuda
