#pragma once

// A block of 16 channels in registers of 32 bytes: two vectors. What the shared loops of this
// folder know of AVX2 with FMA and F16C; vectors_avx512.h is the same for AVX-512.

#include <immintrin.h>

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

struct Floats {
  __m256 low, high;
};
struct Ints {
  __m256i low, high;
};

// Of a panel, computed at once: 6 rows of one block are 12 sums.
constexpr int kTileBlocks = 1;
constexpr int64_t kHalf = kBlock / 2;

QASSAY_INLINE __m256 load_8_floats(const void* at) {
  return _mm256_loadu_ps(static_cast<const float*>(at));
}
QASSAY_INLINE __m256i load_8_ints(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}
QASSAY_INLINE Floats load_floats(const void* at) {
  const auto* const halves = static_cast<const unsigned char*>(at);
  return {load_8_floats(halves), load_8_floats(halves + kLine / 2)};
}
QASSAY_INLINE Ints load_ints(const void* at) {
  const auto* const halves = static_cast<const unsigned char*>(at);
  return {load_8_ints(halves), load_8_ints(halves + kLine / 2)};
}
QASSAY_INLINE void store(void* at, Floats values) {
  auto* const out = static_cast<float*>(at);
  _mm256_storeu_ps(out, values.low);
  _mm256_storeu_ps(out + kHalf, values.high);
}
QASSAY_INLINE void store(void* at, Ints values) {
  auto* const out = static_cast<__m256i*>(at);
  _mm256_storeu_si256(out, values.low);
  _mm256_storeu_si256(out + 1, values.high);
}
/// All bits set in the first `count` lanes, or all 8; none for less than one.
QASSAY_INLINE __m256i first_lanes(int64_t count) {
  const int lanes = count >= kHalf ? 8 : static_cast<int>(count);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// The first `count` of them, or all 16.
QASSAY_INLINE void store_first(float* at, int64_t count, Floats values) {
  if (count >= kBlock) {
    store(at, values);
    return;
  }
  _mm256_maskstore_ps(at, first_lanes(count), values.low);
  if (count > kHalf) _mm256_maskstore_ps(at + kHalf, first_lanes(count - kHalf), values.high);
}
QASSAY_INLINE Floats load_first(const float* at, int64_t count) {
  if (count >= kBlock) return load_floats(at);
  return {_mm256_maskload_ps(at, first_lanes(count)),
          count > kHalf ? _mm256_maskload_ps(at + kHalf, first_lanes(count - kHalf))
                        : _mm256_setzero_ps()};
}
/// 16 FP16, widened.
QASSAY_INLINE Floats load_halves(const unsigned char* at) {
  const auto* const halves = reinterpret_cast<const __m128i*>(at);
  return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
}
/// 16 unsigned bytes, widened.
QASSAY_INLINE Ints load_bytes(const unsigned char* at) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, kHalf))};
}

QASSAY_INLINE Floats all(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
QASSAY_INLINE Ints all(int32_t value) {
  return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)};
}
QASSAY_INLINE Floats no_floats() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
QASSAY_INLINE Ints no_ints() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }

QASSAY_INLINE Floats to_floats(Ints values) {
  return {_mm256_cvtepi32_ps(values.low), _mm256_cvtepi32_ps(values.high)};
}
QASSAY_INLINE Floats add(Floats a, Floats b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
QASSAY_INLINE Floats subtract(Floats a, Floats b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
QASSAY_INLINE Floats multiply(Floats a, Floats b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
QASSAY_INLINE Floats fma(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
QASSAY_INLINE Ints add(Ints a, Ints b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
QASSAY_INLINE Ints subtract(Ints a, Ints b) {
  return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}
QASSAY_INLINE Ints multiply(Ints a, Ints b) {
  return {_mm256_mullo_epi32(a.low, b.low), _mm256_mullo_epi32(a.high, b.high)};
}

/// Of bytes.
QASSAY_INLINE Ints low_nibbles(Ints bytes) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(bytes.low, mask), _mm256_and_si256(bytes.high, mask)};
}
QASSAY_INLINE Ints high_nibbles(Ints bytes) {
  return low_nibbles({_mm256_srli_epi16(bytes.low, 4), _mm256_srli_epi16(bytes.high, 4)});
}
QASSAY_INLINE Ints high_nibbles_times_16(Ints bytes) {
  const __m256i low = _mm256_set1_epi8(15);
  return {_mm256_andnot_si256(low, bytes.low), _mm256_andnot_si256(low, bytes.high)};
}
QASSAY_INLINE Ints sixteenths(Ints values) {
  return {_mm256_srai_epi32(values.low, 4), _mm256_srai_epi32(values.high, 4)};
}

/// sum += weights * x, on the bits of FP32. Assembly as in vectors_avx512.h.
QASSAY_INLINE void add_product(Floats& sum, Ints weights, Ints x) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.low) : "x"(weights.low), "x"(x.low));
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.high) : "x"(weights.high), "x"(x.high));
}

}  // namespace
}  // namespace qassay::own
