// FP16 weights and FP32 activations on AMX, as sums of two BF16 numbers each: x = x1 + x2, rounded,
// and w = w1 + w2, exactly, for 11 bits make 8 and 3. Summed are x1 w1, x1 w2 and x2 w1: 48 cycles
// for 16 rows, 16 channels and 32 k, which are 256 of fused products in FP32.
//
// A panel has 32 k of w1 as 16 lines, and the same of w2; 32 words of a row of x are such, too.
//
// Contract "two_parts": a tile adds pairs of products in order of k, in FP32.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

#include "kernels/x86/amx.h"

namespace qassay::own {
namespace {

struct HalvesInTwo {
  static constexpr int64_t kWord = 1;
  static constexpr int64_t kTogether = 2 * kTileWords;

  static int64_t words(const LinearArgs&) { return kTileWords; }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    constexpr int64_t kPerLine = 2;
    const int64_t whole = divide_up(steps, kTogether) * kTogether;
    const int64_t stride = spread_lines(whole) * kLine;
    for (int64_t b = 0; b < blocks; ++b) {
      const unsigned char* line = lines_of(args, block + b) + step / kPerLine * kLine;
      unsigned char* out = args.panel + b * stride;
      for (int64_t s = 0; s < whole; s += kTogether, out += 2 * kTileBytes) {
        const int64_t lines = smaller(kTogether, steps - s) / kPerLine;
        for (int64_t i = 0; i < lines; ++i, line += kLine) split(line, out + i * kLine);
        for (int64_t i = lines; i < kTileWords; ++i) {
          store(out + i * kLine, no_ints());
          store(out + kTileBytes + i * kLine, no_ints());
        }
      }
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  static Lines rest(const LinearArgs&, Lines lines, int64_t, int64_t) { return lines; }

  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call, int64_t block) {
    using Sums = SumTiles<PairsOfBf16, kTall, kBlocks>;
    constexpr int64_t kRow = kTogether * int64_t{sizeof(Word)};
    const size_t stride = call.lines.block_stride;
    const unsigned char* lines = call.lines.at + static_cast<size_t>(block) * stride;
    const unsigned char* x1[2] = {call.rows[0].x, call.rows[1].x};
    sum_chunk<Sums, kBlocks>(call, block, [&] {
      for (int64_t s = 0; s < call.steps; s += kTogether) {
        const unsigned char* const x2[2] = {x1[0] + kLine, x1[1] + kLine};
        Sums::add(x1, lines + kTileBytes, stride, kRow);
        Sums::add(x1, lines, stride, kRow);
        Sums::add(x2, lines, stride, kRow);
        lines += 2 * kTileBytes;
        x1[0] += call.rows[0].step;
        x1[1] += call.rows[1].step;
      }
    });
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }

 private:
  /// Two k of 16 channels as pairs: w1 to `out`, w2 a tile behind.
  QASSAY_INLINE static void split(const unsigned char* line, unsigned char* out) {
    const Floats first = load_halves(line);
    const Floats second = load_halves(line + kLine / 2);
    const Ints first1 = rounded(first);
    const Ints second1 = rounded(second);
    store(out, pair(first1, second1));
    store(out + kTileBytes, pair(rest(first, first1), rest(second, second1)));
  }
  /// The bits of the nearest BF16, as FP32; ties away from zero.
  QASSAY_INLINE static Ints rounded(Floats values) {
    const Ints bits = add(_mm512_castps_si512(values), all(int32_t{0x8000}));
    return _mm512_and_si512(bits, all(static_cast<int32_t>(0xFFFF0000U)));
  }
  QASSAY_INLINE static Ints rest(Floats values, Ints rounded) {
    return _mm512_castps_si512(subtract(values, _mm512_castsi512_ps(rounded)));
  }
  /// The upper halves of both, in turns.
  QASSAY_INLINE static Ints pair(Ints first, Ints second) {
    const Ints lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const Ints upper = add(_mm512_mullo_epi32(lanes, all(int32_t{0x00020002})),
                           all(int32_t{0x00210001}));  // second's 2 i + 1, first's 2 i + 1
    return _mm512_permutex2var_epi16(first, upper, second);
  }
};

}  // namespace

namespace amx {

void linear_f16(const LinearArgs& args) { run_wide<HalvesInTwo>(args); }

}  // namespace amx
}  // namespace qassay::own
