#pragma once

// A block of 16 channels in registers of 64 bytes: one vector. What the shared loops of this folder
// know of AVX-512; vectors_avx2.h is the same for AVX2.

#include <immintrin.h>

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

using Floats = __m512;
using Ints = __m512i;

// Of a panel, computed at once.
constexpr int kTileBlocks = kPanelBlocks;

QASSAY_INLINE Floats load_floats(const void* at) { return _mm512_loadu_ps(at); }
QASSAY_INLINE Ints load_ints(const void* at) { return _mm512_loadu_si512(at); }
QASSAY_INLINE void store(void* at, Floats values) { _mm512_storeu_ps(at, values); }
QASSAY_INLINE void store(void* at, Ints values) { _mm512_storeu_si512(at, values); }
/// The first `count` of them, or all 16.
QASSAY_INLINE void store_first(float* at, int64_t count, Floats values) {
  const int mask = count >= kBlock ? 0xFFFF : (1 << count) - 1;
  _mm512_mask_storeu_ps(at, static_cast<__mmask16>(mask), values);
}
QASSAY_INLINE Floats load_first(const float* at, int64_t count) {
  const int mask = count >= kBlock ? 0xFFFF : (1 << count) - 1;
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), at);
}
/// 16 FP16, widened.
QASSAY_INLINE Floats load_halves(const unsigned char* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
/// 16 unsigned bytes, widened.
QASSAY_INLINE Ints load_bytes(const unsigned char* at) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

QASSAY_INLINE Floats no_floats() { return _mm512_setzero_ps(); }
QASSAY_INLINE Ints no_ints() { return _mm512_setzero_si512(); }
QASSAY_INLINE Floats all(float value) { return _mm512_set1_ps(value); }
QASSAY_INLINE Ints all(int32_t value) { return _mm512_set1_epi32(value); }

QASSAY_INLINE Floats to_floats(Ints values) { return _mm512_cvtepi32_ps(values); }
QASSAY_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
QASSAY_INLINE Floats subtract(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
QASSAY_INLINE Floats multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
QASSAY_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
QASSAY_INLINE Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
QASSAY_INLINE Ints subtract(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
QASSAY_INLINE Ints multiply(Ints a, Ints b) { return _mm512_mullo_epi32(a, b); }

/// Of bytes.
QASSAY_INLINE Ints low_nibbles(Ints bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi8(15)); }
QASSAY_INLINE Ints high_nibbles(Ints bytes) { return low_nibbles(_mm512_srli_epi16(bytes, 4)); }
QASSAY_INLINE Ints high_nibbles_times_16(Ints bytes) {
  return _mm512_andnot_si512(_mm512_set1_epi8(15), bytes);
}
QASSAY_INLINE Ints sixteenths(Ints values) { return _mm512_srai_epi32(values, 4); }

/// sum += weights * x, on the bits of FP32. The intrinsic lets g++ 12 overwrite a factor instead of
/// the sum, copy and spill.
QASSAY_INLINE void add_product(Floats& sum, Ints weights, Ints x) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
}

}  // namespace
}  // namespace qassay::own
