// What is done with whole rows before and after a product.

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/cuda/functions.h"
#include "kernels/cuda/int8_rows.h"

namespace qassay::cuda {
namespace {

constexpr int kThreads = 256;

__device__ inline void round_to(float value, __half* to) { *to = __float2half_rn(value); }
__device__ inline void round_to(float value, __nv_bfloat16* to) {
  *to = __float2bfloat16_rn(value);
}

/// A block of threads a row, as all kernels of this file.
template <typename Half>
__global__ void round_rows(const float* x, int64_t k, Half* to, int64_t stride) {
  const int64_t row = blockIdx.x;
  for (int64_t i = threadIdx.x; i < stride; i += kThreads)
    round_to(i < k ? x[row * k + i] : 0.0F, to + row * stride + i);
}

/// The largest of all threads' values, for all.
__device__ inline unsigned largest_of_block(unsigned value) {
  __shared__ unsigned shared[kThreads / 32];
  value = __reduce_max_sync(0xFFFFFFFFU, value);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  for (const unsigned other : shared) value = max(value, other);
  return value;
}

__global__ void quantize_rows(const float* x, int64_t k, int8_t* codes, int64_t stride,
                              float* scales, int* not_finite) {
  const int64_t row = blockIdx.x;
  unsigned bits = 0;
  for (int64_t i = threadIdx.x; i < k; i += kThreads)
    bits = max(bits, __float_as_uint(x[row * k + i]) & kMagnitudeBits);
  const float largest = __uint_as_float(largest_of_block(bits));
  const float scale = scale_of_row(largest);
  if (threadIdx.x == 0) {
    scales[row] = scale;
    if (!takes_row(largest)) *not_finite = 1;
  }
  for (int64_t i = threadIdx.x; i < stride; i += kThreads)
    codes[row * stride + i] = i < k ? code_of_number(x[row * k + i], scale) : int8_t{0};
}

__global__ void scale_rows(float* sums, int64_t n, const float* channel_scales,
                           const float* row_scales, const float* bias) {
  const int64_t row = blockIdx.x;
  float* const at = sums + row * n;
  for (int64_t i = threadIdx.x; i < n; i += kThreads) {
    at[i] = scaled_sum(__float_as_int(at[i]), channel_scales[i], row_scales[row],
                       bias == nullptr ? 0.0F : bias[i]);
  }
}

__global__ void add_to_rows(float* values, int64_t n, const float* bias) {
  const int64_t row = blockIdx.x;
  for (int64_t i = threadIdx.x; i < n; i += kThreads) values[row * n + i] += bias[i];
}

__global__ void read_all(const uint4* words, int64_t count, uint32_t* sink) {
  uint32_t all = 0xFFFFFFFFU;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count;
       i += step) {
    const uint4 word = words[i];
    all &= word.x & word.y & word.z & word.w;
  }
  if (all == 0xFFFFFFFFU) *sink = all;
}

}  // namespace

cudaError_t rows_to_f16(const float* x, int64_t m, int64_t k, void* to, int64_t stride,
                        cudaStream_t stream) {
  round_rows<<<static_cast<unsigned>(m), kThreads, 0, stream>>>(x, k, static_cast<__half*>(to),
                                                                stride);
  return cudaGetLastError();
}

cudaError_t rows_to_bf16(const float* x, int64_t m, int64_t k, void* to, int64_t stride,
                         cudaStream_t stream) {
  round_rows<<<static_cast<unsigned>(m), kThreads, 0, stream>>>(
      x, k, static_cast<__nv_bfloat16*>(to), stride);
  return cudaGetLastError();
}

cudaError_t rows_to_s8(const float* x, int64_t m, int64_t k, int8_t* codes, int64_t stride,
                       float* scales, int* not_finite, cudaStream_t stream) {
  quantize_rows<<<static_cast<unsigned>(m), kThreads, 0, stream>>>(x, k, codes, stride, scales,
                                                                   not_finite);
  return cudaGetLastError();
}

cudaError_t scale_sums(void* sums, int64_t m, int64_t n, const float* channel_scales,
                       const float* row_scales, const float* bias, cudaStream_t stream) {
  scale_rows<<<static_cast<unsigned>(m), kThreads, 0, stream>>>(static_cast<float*>(sums), n,
                                                                channel_scales, row_scales, bias);
  return cudaGetLastError();
}

cudaError_t add_bias(float* values, int64_t m, int64_t n, const float* bias, cudaStream_t stream) {
  add_to_rows<<<static_cast<unsigned>(m), kThreads, 0, stream>>>(values, n, bias);
  return cudaGetLastError();
}

cudaError_t read_words(const uint4* words, int64_t count, uint32_t* sink, cudaStream_t stream) {
  constexpr unsigned kGrid = 1024;
  read_all<<<kGrid, kThreads, 0, stream>>>(words, count, sink);
  return cudaGetLastError();
}

}  // namespace qassay::cuda
