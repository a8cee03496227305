// What is done with whole rows before and after a product.

#include "kernels/cuda/instructions.cuh"
#include "kernels/cuda/int8_rows.h"
#ifdef __CUDACC__
#include "kernels/cuda/functions.h"
#endif

namespace qassay::cuda {
namespace {

constexpr int kRowThreads = 256;

struct ToF16 {
  __device__ uint16_t operator()(float value) const { return half_of_value(value); }
};
struct ToBf16 {
  __device__ uint16_t operator()(float value) const { return bf16_of_value(value); }
};

/// A block of threads a row, as all kernels of this file but the last.
template <typename Round>
__global__ void round_rows(const float* x, int64_t k, uint16_t* to, int64_t stride) {
  const int64_t row = blockIdx.x;
  for (int64_t i = threadIdx.x; i < stride; i += kRowThreads)
    to[row * stride + i] = i < k ? Round()(x[row * k + i]) : uint16_t{0};
}

/// The largest of all threads' values, for all.
__device__ inline uint32_t largest_of_block(uint32_t value) {
  __shared__ uint32_t shared[kRowThreads / 32];
  value = largest_of_warp(value);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  for (const uint32_t other : shared) value = other > value ? other : value;
  return value;
}

__global__ void quantize_rows(const float* x, int64_t k, int8_t* codes, int64_t stride,
                              float* scales, int* not_finite) {
  const int64_t row = blockIdx.x;
  uint32_t largest_bits = 0;
  for (int64_t i = threadIdx.x; i < k; i += kRowThreads) {
    const uint32_t bits = bits_of_float(x[row * k + i]) & kMagnitudeBits;
    largest_bits = bits > largest_bits ? bits : largest_bits;
  }
  const float largest = float_of_bits(largest_of_block(largest_bits));
  const float scale = scale_of_row(largest);
  if (threadIdx.x == 0) {
    scales[row] = scale;
    if (!takes_row(largest)) *not_finite = 1;
  }
  for (int64_t i = threadIdx.x; i < stride; i += kRowThreads)
    codes[row * stride + i] = i < k ? code_of_number(x[row * k + i], scale) : int8_t{0};
}

__global__ void scale_rows(float* sums, int64_t n, const float* channel_scales,
                           const float* row_scales, const float* bias) {
  const int64_t row = blockIdx.x;
  float* const at = sums + row * n;
  for (int64_t i = threadIdx.x; i < n; i += kRowThreads) {
    at[i] = scaled_sum(static_cast<int32_t>(bits_of_float(at[i])), channel_scales[i],
                       row_scales[row], bias == nullptr ? 0.0F : bias[i]);
  }
}

__global__ void add_to_rows(float* values, int64_t n, const float* bias) {
  const int64_t row = blockIdx.x;
  for (int64_t i = threadIdx.x; i < n; i += kRowThreads) values[row * n + i] += bias[i];
}

__global__ void read_all(const uint4* words, int64_t count, uint32_t* sink) {
  uint32_t all = 0xFFFFFFFFU;
  const int64_t step = static_cast<int64_t>(gridDim.x) * kRowThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kRowThreads + threadIdx.x; i < count;
       i += step) {
    const uint4 word = words[i];
    all &= word.x & word.y & word.z & word.w;
  }
  if (all == 0xFFFFFFFFU) *sink = all;
}

}  // namespace

#ifdef __CUDACC__
cudaError_t rows_to_f16(const float* x, int64_t m, int64_t k, uint16_t* to, int64_t stride,
                        cudaStream_t stream) {
  round_rows<ToF16><<<static_cast<unsigned>(m), kRowThreads, 0, stream>>>(x, k, to, stride);
  return cudaGetLastError();
}

cudaError_t rows_to_bf16(const float* x, int64_t m, int64_t k, uint16_t* to, int64_t stride,
                         cudaStream_t stream) {
  round_rows<ToBf16><<<static_cast<unsigned>(m), kRowThreads, 0, stream>>>(x, k, to, stride);
  return cudaGetLastError();
}

cudaError_t rows_to_s8(const float* x, int64_t m, int64_t k, int8_t* codes, int64_t stride,
                       float* scales, int* not_finite, cudaStream_t stream) {
  quantize_rows<<<static_cast<unsigned>(m), kRowThreads, 0, stream>>>(x, k, codes, stride, scales,
                                                                      not_finite);
  return cudaGetLastError();
}

cudaError_t scale_sums(void* sums, int64_t m, int64_t n, const float* channel_scales,
                       const float* row_scales, const float* bias, cudaStream_t stream) {
  scale_rows<<<static_cast<unsigned>(m), kRowThreads, 0, stream>>>(
      static_cast<float*>(sums), n, channel_scales, row_scales, bias);
  return cudaGetLastError();
}

cudaError_t add_bias(float* values, int64_t m, int64_t n, const float* bias, cudaStream_t stream) {
  add_to_rows<<<static_cast<unsigned>(m), kRowThreads, 0, stream>>>(values, n, bias);
  return cudaGetLastError();
}

cudaError_t read_words(const uint4* words, int64_t count, uint32_t* sink, cudaStream_t stream) {
  constexpr unsigned kGrid = 1024;
  read_all<<<kGrid, kRowThreads, 0, stream>>>(words, count, sink);
  return cudaGetLastError();
}
#endif

}  // namespace qassay::cuda
