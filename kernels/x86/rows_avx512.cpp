// Rows of x on their way into the words of a tile, with AVX-512.

#include <immintrin.h>

#include "kernels/x86/functions.h"

namespace qassay::own {
namespace {

inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
}

/// x in steps of a grid as codes, -limit to limit; ties to even.
inline __m512i codes_of(__m512 steps, int limit) {
  const __m512i codes =
      _mm512_cvt_roundps_epi32(steps, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_max_epi32(_mm512_min_epi32(codes, _mm512_set1_epi32(limit)),
                          _mm512_set1_epi32(-limit));
}

// Where the codes of a row go, as bytes in words: write(16 codes from number i on, of which `count`
// are of the row and the others zero, ...), and end(k, ...) when all are written.

/// Every word `stride` behind the one before; the last word is filled up.
struct Apart {
  static void write(__m512i codes, int64_t i, int64_t count, Word* words, int64_t stride) {
    alignas(16) Word quads[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(quads), _mm512_cvtepi32_epi8(codes));
    const int64_t used = count >= 16 ? 4 : (count + 3) / 4;
    for (int64_t q = 0; q < used; ++q) words[(i / 4 + q) * stride] = quads[q];
  }
  static void end(int64_t, Word*, int64_t) {}
};

/// 16 words side by side, the next 16 `stride` behind them; the last 16 are filled up.
struct Together {
  static void write(__m512i codes, int64_t i, int64_t, Word* words, int64_t stride) {
    write16(_mm512_cvtepi32_epi8(codes), i, words, stride);
  }
  static void end(int64_t k, Word* words, int64_t stride) {
    for (int64_t i = (k + 15) / 16 * 16; i % 64 != 0; i += 16)
      write16(_mm_setzero_si128(), i, words, stride);
  }

 private:
  static void write16(__m128i bytes, int64_t i, Word* words, int64_t stride) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words + i / 64 * stride + i % 64 / 4), bytes);
  }
};

inline int32_t correction_of(__m512i codes, int zero) {
  return static_cast<int32_t>(static_cast<uint32_t>(-zero) *
                              static_cast<uint32_t>(_mm512_reduce_add_epi32(codes)));
}

/// Codes of x[begin, end) into words, `to_steps` being x in steps of the grid. Returns -zero times
/// their sum. Wraps for long rows as the sums that it starts do; what comes out in the end fits.
template <typename Place, typename ToSteps>
inline int32_t write_codes(const float* x, int64_t begin, int64_t end, ToSteps to_steps, int zero,
                           Word* words, int64_t stride) {
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t left = end - i;
    const __m512 steps = to_steps(_mm512_maskz_loadu_ps(first_lanes(left), x + i));
    const __m512i codes = codes_of(steps, 127);
    sum = _mm512_add_epi32(sum, codes);
    Place::write(codes, i, left, words, stride);
  }
  return correction_of(sum, zero);
}

inline float largest(const float* x, int64_t k) {
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

template <typename Place>
inline void quantize_row(const float* x, int64_t k, float scale, int zero, int64_t group,
                         Word* words, int64_t stride, int32_t* corrections) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const int64_t span = group == 0 ? k : group;
  for (int64_t begin = 0; begin < k; begin += span) {
    *corrections++ = write_codes<Place>(
        x, begin, begin + span < k ? begin + span : k,
        [divisor](__m512 values) { return _mm512_div_ps(values, divisor); }, zero, words, stride);
  }
  Place::end(k, words, stride);
}

template <typename Place>
inline void quantize_row_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                                 int64_t stride, int32_t* corrections, float* scales) {
  for (int64_t begin = 0; begin < k; begin += group) {
    const int64_t end = begin + group < k ? begin + group : k;
    const float most = largest(x + begin, end - begin);
    *scales++ = most / 127;
    const float exact = 127 / most;
    const __m512 inverse = _mm512_set1_ps(exact <= 3.402823466e+38F ? exact : 0);
    *corrections++ = write_codes<Place>(
        x, begin, end, [inverse](__m512 values) { return _mm512_mul_ps(values, inverse); }, zero,
        words, stride);
  }
  Place::end(k, words, stride);
}

template <typename Place>
inline void quantize_row_halves(const float* x, int64_t k, int zero, int64_t group, Word* words,
                                int64_t low, int64_t stride, int32_t* corrections, int64_t groups,
                                float* scales) {
  for (int64_t begin = 0; begin < k; begin += group, ++corrections, ++scales) {
    const int64_t end = begin + group < k ? begin + group : k;
    const float step = largest(x + begin, end - begin) / kReach16;
    __m512i high_sum = _mm512_setzero_si512();
    __m512i low_sum = _mm512_setzero_si512();
    for (int64_t i = begin; i < end; i += 16) {
      const __m512 values = _mm512_maskz_loadu_ps(first_lanes(end - i), x + i);
      const __m512i codes = codes_of(_mm512_div_ps(values, _mm512_set1_ps(step)), kReach16);
      const __m512i high_codes =
          _mm512_srai_epi32(_mm512_add_epi32(codes, _mm512_set1_epi32(128)), 8);
      const __m512i low_codes = _mm512_sub_epi32(codes, _mm512_slli_epi32(high_codes, 8));
      high_sum = _mm512_add_epi32(high_sum, high_codes);
      low_sum = _mm512_add_epi32(low_sum, low_codes);
      Place::write(high_codes, i, end - i, words, stride);
      Place::write(low_codes, i, end - i, words + low, stride);
    }
    scales[0] = 256 * step;
    scales[groups] = step;
    corrections[0] = correction_of(high_sum, zero);
    corrections[groups] = correction_of(low_sum, zero);
  }
  Place::end(k, words, stride);
  Place::end(k, words + low, stride);
}

}  // namespace

namespace avx512 {

float largest_magnitude(const float* x, int64_t k) { return largest(x, k); }

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections) {
  quantize_row<Apart>(x, k, scale, zero, group, words, stride, corrections);
}
void quantize_row_a8_together(const float* x, int64_t k, float scale, int zero, int64_t group,
                              Word* words, int64_t stride, int32_t* corrections) {
  quantize_row<Together>(x, k, scale, zero, group, words, stride, corrections);
}

void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                             int64_t stride, int32_t* corrections, float* scales) {
  quantize_row_blocked<Apart>(x, k, zero, group, words, stride, corrections, scales);
}
void quantize_row_a8_blocked_together(const float* x, int64_t k, int zero, int64_t group,
                                      Word* words, int64_t stride, int32_t* corrections,
                                      float* scales) {
  quantize_row_blocked<Together>(x, k, zero, group, words, stride, corrections, scales);
}

void quantize_row_a16(const float* x, int64_t k, int zero, int64_t group, Word* words, int64_t low,
                      int64_t stride, int32_t* corrections, int64_t groups, float* scales) {
  quantize_row_halves<Apart>(x, k, zero, group, words, low, stride, corrections, groups, scales);
}
void quantize_row_a16_together(const float* x, int64_t k, int zero, int64_t group, Word* words,
                               int64_t low, int64_t stride, int32_t* corrections, int64_t groups,
                               float* scales) {
  quantize_row_halves<Together>(x, k, zero, group, words, low, stride, corrections, groups, scales);
}

}  // namespace avx512
}  // namespace qassay::own
