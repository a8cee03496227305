// Rows of x on their way into the words of a tile, with AVX2.

#include <immintrin.h>

#include "kernels/x86/functions.h"

namespace qassay::own {
namespace {

/// x[0, left), or 8 of them; zeros in place of the others.
inline __m256 load_first(const float* x, int64_t left) {
  if (left >= 8) return _mm256_loadu_ps(x);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(left)), lanes);
  return _mm256_maskload_ps(x, there);
}

/// x in steps of a grid as codes, -limit to limit; ties to even.
inline __m256i codes_of(__m256 steps, int limit) {
  const __m256i codes =
      _mm256_cvtps_epi32(_mm256_round_ps(steps, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  return _mm256_max_epi32(_mm256_min_epi32(codes, _mm256_set1_epi32(limit)),
                          _mm256_set1_epi32(-limit));
}

/// The first `count` of 16 codes, as bytes into words; the last word is filled up with zeros, which
/// the others are.
inline void write_bytes(__m256i first, __m256i second, int64_t count, Word* words, int64_t stride) {
  // Packed within halves: 4 of the first, 4 of the second, twice.
  const __m256i shorts = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
  alignas(16) Word quads[4];
  _mm_store_si128(
      reinterpret_cast<__m128i*>(quads),
      _mm_packs_epi16(_mm256_castsi256_si128(shorts), _mm256_extracti128_si256(shorts, 1)));
  const int64_t used = count >= 16 ? 4 : (count + 3) / 4;
  for (int64_t q = 0; q < used; ++q) words[q * stride] = quads[q];
}

inline int32_t sum_of(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

inline int32_t correction_of(__m256i codes, int zero) {
  return static_cast<int32_t>(static_cast<uint32_t>(-zero) * static_cast<uint32_t>(sum_of(codes)));
}

/// Codes of x[begin, end) into words, `to_steps` being x in steps of the grid. Returns -zero times
/// their sum. Wraps for long rows as the sums that it starts do; what comes out in the end fits.
template <typename ToSteps>
inline int32_t write_codes(const float* x, int64_t begin, int64_t end, ToSteps to_steps, int zero,
                           Word* words, int64_t stride) {
  __m256i sum = _mm256_setzero_si256();
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t left = end - i;
    const __m256i low = codes_of(to_steps(load_first(x + i, left)), 127);
    const __m256i high = left > 8 ? codes_of(to_steps(load_first(x + i + 8, left - 8)), 127)
                                  : _mm256_setzero_si256();
    sum = _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
    write_bytes(low, high, left, words + i / 4 * stride, stride);
  }
  return correction_of(sum, zero);
}

}  // namespace

namespace avx2 {

float largest_magnitude(const float* x, int64_t k) {
  __m256i largest = _mm256_setzero_si256();
  for (int64_t i = 0; i < k; i += 8) {
    // Magnitudes order like their bit patterns, and NaN comes out on top.
    const __m256i magnitude = _mm256_and_si256(_mm256_castps_si256(load_first(x + i, k - i)),
                                               _mm256_set1_epi32(0x7FFFFFFF));
    largest = _mm256_max_epi32(largest, magnitude);
  }
  __m128i four =
      _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtss_f32(_mm_castsi128_ps(four));
}

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections) {
  const __m256 divisor = _mm256_set1_ps(scale);
  const int64_t span = group == 0 ? k : group;
  for (int64_t begin = 0; begin < k; begin += span) {
    *corrections++ = write_codes(
        x, begin, begin + span < k ? begin + span : k,
        [divisor](__m256 values) { return _mm256_div_ps(values, divisor); }, zero, words, stride);
  }
}

void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                             int64_t stride, int32_t* corrections, float* scales) {
  for (int64_t begin = 0; begin < k; begin += group) {
    const int64_t end = begin + group < k ? begin + group : k;
    const float largest = largest_magnitude(x + begin, end - begin);
    *scales++ = largest / 127;
    const float exact = 127 / largest;
    const __m256 inverse = _mm256_set1_ps(exact <= 3.402823466e+38F ? exact : 0);
    *corrections++ = write_codes(
        x, begin, end, [inverse](__m256 values) { return _mm256_mul_ps(values, inverse); }, zero,
        words, stride);
  }
}

void quantize_row_a16(const float* x, int64_t k, int zero, int64_t group, Word* words, int64_t low,
                      int64_t stride, int32_t* corrections, int64_t groups, float* scales) {
  for (int64_t begin = 0; begin < k; begin += group, ++corrections, ++scales) {
    const int64_t end = begin + group < k ? begin + group : k;
    const float step = largest_magnitude(x + begin, end - begin) / kReach16;
    __m256i high_sum = _mm256_setzero_si256();
    __m256i low_sum = _mm256_setzero_si256();
    for (int64_t i = begin; i < end; i += 16) {
      __m256i high[2], rest[2];
      for (int half = 0; half < 2; ++half) {
        const int64_t at = i + 8 * half;
        const __m256 values = at < end ? load_first(x + at, end - at) : _mm256_setzero_ps();
        const __m256i codes = codes_of(_mm256_div_ps(values, _mm256_set1_ps(step)), kReach16);
        high[half] = _mm256_srai_epi32(_mm256_add_epi32(codes, _mm256_set1_epi32(128)), 8);
        rest[half] = _mm256_sub_epi32(codes, _mm256_slli_epi32(high[half], 8));
        high_sum = _mm256_add_epi32(high_sum, high[half]);
        low_sum = _mm256_add_epi32(low_sum, rest[half]);
      }
      Word* const out = words + i / 4 * stride;
      write_bytes(high[0], high[1], end - i, out, stride);
      write_bytes(rest[0], rest[1], end - i, out + low, stride);
    }
    scales[0] = 256 * step;
    scales[groups] = step;
    corrections[0] = correction_of(high_sum, zero);
    corrections[groups] = correction_of(low_sum, zero);
  }
}

}  // namespace avx2
}  // namespace qassay::own
