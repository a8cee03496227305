#pragma once

// What the kernels use of a GPU that has no name in C++, and the words of CUDA's own. The tests
// compile the kernels for the host with their own of both (tests/kernels/cuda_on_host.hpp).

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

namespace qassay::cuda {

/// d += a * b for a tile of W, 16 channels x 16 k, and one of x, 16 k x 8 rows.
__device__ inline void multiply_tile(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                                     uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Two FP16, side by side, less two others.
__device__ inline uint32_t subtract_halves(uint32_t a, uint32_t b) {
  const __half2 difference =
      __hsub2(*reinterpret_cast<__half2*>(&a), *reinterpret_cast<__half2*>(&b));
  return *reinterpret_cast<const uint32_t*>(&difference);
}
__device__ inline float value_of_half(uint16_t bits) {
  return __half2float(__ushort_as_half(bits));
}
__device__ inline uint16_t half_of_value(float value) {
  return __half_as_ushort(__float2half_rn(value));
}
__device__ inline uint16_t bf16_of_value(float value) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
__device__ inline uint32_t bits_of_float(float value) { return __float_as_uint(value); }
__device__ inline float float_of_bits(uint32_t bits) { return __uint_as_float(bits); }

/// The largest of the warp, for all of it.
__device__ inline uint32_t largest_of_warp(uint32_t value) {
  return __reduce_max_sync(0xFFFFFFFFU, value);
}

/// 16 bytes that are read once, and need not stay in L1.
__device__ inline uint4 read_once(const uint4* at) {
  uint4 words;
  asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
      : "l"(at));
  return words;
}

/// Begins to copy 16 bytes from global to shared memory, both aligned to as many.
__device__ inline void copy_later(uint4* to, const void* from) {
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared), "l"(from) : "memory");
}
/// What was begun since the last commit is a group, be it empty; a thread waits for its own groups,
/// all but the last kLeft.
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLeft>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

}  // namespace qassay::cuda

#endif
