// Rows of x on their way into the words of a tile, with AVX-512.

#include <immintrin.h>

#include "kernels/x86/functions.h"

namespace qassay::own {
namespace {

inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
}

/// Codes of x[begin, end) into words, `to_steps` being x in steps of the grid. Returns -zero times
/// their sum. Wraps for long rows as the sums that it starts do; what comes out in the end fits.
template <typename ToSteps>
inline int32_t write_codes(const float* x, int64_t begin, int64_t end, ToSteps to_steps, int zero,
                           Word* words, int64_t stride) {
  const __m512i limit = _mm512_set1_epi32(127);
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t left = end - i;
    const __m512 steps = to_steps(_mm512_maskz_loadu_ps(first_lanes(left), x + i));
    __m512i codes = _mm512_cvt_roundps_epi32(steps, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    codes = _mm512_min_epi32(codes, limit);
    codes = _mm512_max_epi32(codes, _mm512_sub_epi32(_mm512_setzero_si512(), limit));
    sum = _mm512_add_epi32(sum, codes);
    alignas(16) Word quads[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(quads), _mm512_cvtepi32_epi8(codes));
    const int64_t count = left >= 16 ? 4 : (left + 3) / 4;
    for (int64_t q = 0; q < count; ++q) words[(i / 4 + q) * stride] = quads[q];
  }
  return static_cast<int32_t>(static_cast<uint32_t>(-zero) *
                              static_cast<uint32_t>(_mm512_reduce_add_epi32(sum)));
}

}  // namespace

namespace avx512 {

float largest_magnitude(const float* x, int64_t k) {
  __m512i largest = _mm512_setzero_si512();
  for (int64_t i = 0; i < k; i += 16) {
    const int64_t left = k - i;
    // Magnitudes order like their bit patterns, and NaN comes out on top.
    const __m512i magnitude =
        _mm512_and_si512(_mm512_castps_si512(_mm512_maskz_loadu_ps(first_lanes(left), x + i)),
                         _mm512_set1_epi32(0x7FFFFFFF));
    largest = _mm512_max_epi32(largest, magnitude);
  }
  const int bits = _mm512_reduce_max_epi32(largest);
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits)));
}

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const int64_t span = group == 0 ? k : group;
  for (int64_t begin = 0; begin < k; begin += span) {
    *corrections++ = write_codes(
        x, begin, begin + span < k ? begin + span : k,
        [divisor](__m512 values) { return _mm512_div_ps(values, divisor); }, zero, words, stride);
  }
}

void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                             int64_t stride, int32_t* corrections, float* scales) {
  for (int64_t begin = 0; begin < k; begin += group) {
    const int64_t end = begin + group < k ? begin + group : k;
    const float largest = largest_magnitude(x + begin, end - begin);
    *scales++ = largest / 127;
    const float exact = 127 / largest;
    const __m512 inverse = _mm512_set1_ps(exact <= 3.402823466e+38F ? exact : 0);
    *corrections++ = write_codes(
        x, begin, end, [inverse](__m512 values) { return _mm512_mul_ps(values, inverse); }, zero,
        words, stride);
  }
}

}  // namespace avx512
}  // namespace qassay::own
