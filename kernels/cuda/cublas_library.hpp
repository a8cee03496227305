#pragma once

#include <cublas_v2.h>

#include <cstdint>
#include <string>

#include "kernels/cuda/device.hpp"

namespace qassay::cuda {

/// cuBLAS, looked for at run time: a machine may lack it, and the program starts all the same.
struct CublasState {
  std::string version;
  std::string missing;  // empty when it can be used

  std::optional<Refusal> refuses() const {
    return missing.empty() ? std::nullopt : std::optional(Refusal{missing});
  }
};
const CublasState& cublas_state();

/// What a product is made of: W and x, their sums, and the arithmetic.
struct ProductTypes {
  cudaDataType factors;
  cudaDataType sums;
  cublasComputeType_t compute;
};

/// sums[m, n] = x[m, k] W[n, k]^T, on the_stream(): rows of x and W dense, those of the sums n
/// long. Throws std::runtime_error with what cuBLAS says.
void enqueue_product(const ProductTypes& types, std::int64_t m, std::int64_t n, std::int64_t k,
                     const void* x, const void* weights, void* sums);

}  // namespace qassay::cuda
