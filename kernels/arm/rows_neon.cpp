// Rows of x on their way into the words of a tile.

#include <arm_neon.h>
#include <string.h>

#include "kernels/arm/functions.h"

namespace qassay::own {
namespace {

/// 4 steps from x, rounded to nearest, ties to even.
int32x4_t codes_of(const float* x, float32x4_t scale) {
  const int32x4_t limit = vdupq_n_s32(127);
  const int32x4_t codes = vcvtnq_s32_f32(vdivq_f32(vld1q_f32(x), scale));
  return vmaxq_s32(vminq_s32(codes, limit), vnegq_s32(limit));
}

/// kTogether words of a row side by side.
template <int kTogether>
void quantize_row(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                  int64_t stride, int32_t* corrections) {
  const float32x4_t divisor = vdupq_n_f32(scale);
  const int64_t span = group == 0 ? k : group;
  for (int64_t begin = 0; begin < k; begin += span) {
    const int64_t end = begin + span < k ? begin + span : k;
    int32x4_t sum = vdupq_n_s32(0);
    for (int64_t i = begin; i < end; i += 16) {
      const int64_t left = end - i;
      float padded[16] = {};
      const float* from = x + i;
      if (left < 16) {
        memcpy(padded, from, static_cast<size_t>(left) * sizeof(float));
        from = padded;
      }
      const int32x4_t a = codes_of(from, divisor), b = codes_of(from + 4, divisor);
      const int32x4_t c = codes_of(from + 8, divisor), d = codes_of(from + 12, divisor);
      sum = vaddq_s32(sum, vaddq_s32(vaddq_s32(a, b), vaddq_s32(c, d)));
      const int16x8_t ab = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
      const int16x8_t cd = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
      Word quads[4];
      vst1q_s8(reinterpret_cast<int8_t*>(quads), vcombine_s8(vmovn_s16(ab), vmovn_s16(cd)));
      const int64_t count = left >= 16 ? 4 : (left + 3) / 4;
      for (int64_t q = 0; q < count; ++q) {
        const int64_t word = i / 4 + q;
        words[word / kTogether * stride + word % kTogether] = quads[q];
      }
    }
    // Wraps for long rows as the sums that it starts do; what comes out in the end fits.
    *corrections++ =
        static_cast<int32_t>(static_cast<uint32_t>(-zero) * static_cast<uint32_t>(vaddvq_s32(sum)));
  }
}

Word word_at(const unsigned char* from) {
  Word word;
  memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections) {
  quantize_row<1>(x, k, scale, zero, group, words, stride, corrections);
}

void quantize_row_a8_pairs(const float* x, int64_t k, float scale, int zero, int64_t group,
                           Word* words, int64_t stride, int32_t* corrections) {
  quantize_row<2>(x, k, scale, zero, group, words, stride, corrections);
}

float largest_magnitude(const float* x, int64_t k) {
  // Magnitudes order like their bit patterns, and NaN comes out on top.
  int32x4_t largest = vdupq_n_s32(0);
  const int32x4_t magnitude = vdupq_n_s32(0x7FFFFFFF);
  int64_t i = 0;
  for (; i + 4 <= k; i += 4)
    largest = vmaxq_s32(largest, vandq_s32(vreinterpretq_s32_f32(vld1q_f32(x + i)), magnitude));
  float last[4] = {};
  memcpy(last, x + i, static_cast<size_t>(k - i) * sizeof(float));
  largest = vmaxq_s32(largest, vandq_s32(vreinterpretq_s32_f32(vld1q_f32(last)), magnitude));
  const int32_t bits = vmaxvq_s32(largest);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void interleave_words(const unsigned char* const* from, int64_t rows, int64_t words, Word* out) {
  for (int64_t i = 0; i < words; ++i) {
    for (int64_t r = 0; r < rows; ++r) *out++ = word_at(from[r] + 4 * i);
  }
}

void interleave_codes(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,
                      int32_t* sums) {
  interleave_words(from, rows, words, out);
  for (int64_t r = 0; r < rows; ++r) {
    int32x4_t sum = vld1q_s32(sums + r * kLanes);
    int64_t i = 0;
    for (; i + 4 <= words; i += 4)
      sum = vpadalq_s16(sum, vpaddlq_s8(vreinterpretq_s8_u8(vld1q_u8(from[r] + 4 * i))));
    for (; i < words; ++i) {
      const int8x16_t four =
          vreinterpretq_s8_s32(vsetq_lane_s32(word_at(from[r] + 4 * i), vdupq_n_s32(0), 0));
      sum = vpadalq_s16(sum, vpaddlq_s8(four));
    }
    vst1q_s32(sums + r * kLanes, sum);
  }
}

}  // namespace qassay::own
