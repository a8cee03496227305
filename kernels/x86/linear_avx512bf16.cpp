// BF16 activations and weights, pairs of products summed in FP32 by vdpbf16ps.
//
// Contract "approximate": x is rounded to BF16, and the instruction takes subnormal numbers as zero
// and rounds once a pair.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

#include "kernels/x86/tile.h"

namespace qassay::own {
namespace {

struct PairDot : FloatSums<PairDot> {
  QASSAY_INLINE static void add(Sum& sum, __m512i weights, __m512i x) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
  }
};

struct PairFormat {
  static constexpr int kTileBlocks = own::kTileBlocks;
  static constexpr int64_t kWord = 2;
  static constexpr int64_t kLineSteps = 1;
  static constexpr int64_t kStreamRows = 1;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step * kLine;
  }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t) {
    return {source(args, block, step), args.block_bytes};
  }
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<PairDot, kRows, kBlocks>(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, _mm512_loadu_ps(partial));
  }

  static void stream(const LinearArgs& args) {
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                        _mm512_setzero_ps()};
      const unsigned char* line = lines_of(args, block);
      const Word* x = args.x;
      int64_t lines = args.k / kWord;
      for (; lines >= 4; lines -= 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          _mm_prefetch(line + kStreamAhead + i * kLine, _MM_HINT_T0);
          PairDot::add(sums[i], load_ints(line + i * kLine), _mm512_set1_epi32(x[i]));
        }
        line += 4 * kLine;
        x += 4;
      }
      for (; lines > 0; --lines, line += kLine, ++x) {
        PairDot::add(sums[0], load_ints(line), _mm512_set1_epi32(*x));
      }
      finish_float(args, 0, block,
                   _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
    }
  }
};

/// Those of 16 that there are, then zeros.
QASSAY_INLINE Floats load_up_to(const float* x, int64_t count) {
  const int mask = count >= 16 ? 0xFFFF : count > 0 ? (1 << count) - 1 : 0;
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), x);
}
QASSAY_INLINE void store(Word* words, __m256bh halves) {
  __builtin_memcpy(words, &halves, sizeof halves);
}

}  // namespace

namespace avx512bf16 {

void linear_bf16_bf16(const LinearArgs& args) { run_linear<PairFormat>(args); }

void convert_row_bf16(const float* x, int64_t k, Word* words, int64_t stride) {
  for (int64_t i = 0; i < k; i += 16) {
    Word pairs[8];
    store(pairs, _mm512_cvtneps_pbh(load_up_to(x + i, k - i)));
    const int64_t count = k - i >= 16 ? 8 : (k - i + 1) / 2;
    for (int64_t p = 0; p < count; ++p) words[(i / 2 + p) * stride] = pairs[p];
  }
}

void convert_row_bf16_together(const float* x, int64_t k, Word* words, int64_t stride) {
  for (int64_t i = 0; i < divide_up(k, 32) * 32; i += 16)
    store(words + i / 32 * stride + i % 32 / 2, _mm512_cvtneps_pbh(load_up_to(x + i, k - i)));
}

void convert_row_bf16x2_together(const float* x, int64_t k, Word* words, int64_t stride) {
  for (int64_t i = 0; i < divide_up(k, 32) * 32; i += 16) {
    const Floats values = load_up_to(x + i, k - i);
    const __m256bh rounded = _mm512_cvtneps_pbh(values);
    const Ints bits = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(rounded));
    const Floats rest = subtract(values, _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16)));
    Word* const at = words + i / 32 * stride + i % 32 / 2;
    store(at, rounded);
    store(at + 16, _mm512_cvtneps_pbh(rest));
  }
}

}  // namespace avx512bf16
}  // namespace qassay::own
