#pragma once

// Products summed by vpdpbusd, which adds four products of unsigned and signed bytes to an int32
// without saturating.

#include "kernels/x86/integer.h"

namespace qassay::own {
namespace {

/// `Dot`: add(sum, codes, x) by the instruction, and chains(rows).
template <typename Dot, typename CodeOfWeights>
struct VnniProducts {
  using Code = CodeOfWeights;

  static constexpr int chains(int rows) { return Dot::chains(rows); }

  template <int kRows, int kBlocks>
  QASSAY_INLINE static void add_panel(Ints (&sums)[kRows][kBlocks], Walk& walk, int64_t steps,
                                      const TileCall& call) {
    add_steps<Dot>(sums, walk, steps, call);
  }

  /// sums[row][chain] += the products of `lines` lines, each decoded once; moves both pointers on.
  template <int kRows, int kChains>
  QASSAY_INLINE static void add_lines(Ints (&sums)[kRows][kChains], int64_t lines,
                                      const unsigned char*& line, const Word*& x) {
    // Until every chain has had its turn.
    constexpr int kLines = kChains < Code::kSteps ? 1 : kChains / Code::kSteps;
    for (; lines >= kLines; lines -= kLines) {
#pragma GCC unroll 4
      for (int l = 0; l < kLines; ++l) {
        _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
        Ints codes[Code::kSteps];
        Code::decode(line + l * kLine, codes);
#pragma GCC unroll 2
        for (int s = 0; s < Code::kSteps; ++s) {
          const int step = l * Code::kSteps + s;
#pragma GCC unroll 6
          for (int r = 0; r < kRows; ++r)
            Dot::add(sums[r][step % kChains], codes[s], all(x[step * kRows + r]));
        }
      }
      line += kLines * kLine;
      x += kLines * Code::kSteps * kRows;
    }
    for (; lines > 0; --lines) {
      Ints codes[Code::kSteps];
      Code::decode(line, codes);
#pragma GCC unroll 2
      for (int s = 0; s < Code::kSteps; ++s) {
#pragma GCC unroll 6
        for (int r = 0; r < kRows; ++r)
          Dot::add(sums[r][s % kChains], codes[s], all(x[s * kRows + r]));
      }
      line += kLine;
      x += Code::kSteps * kRows;
    }
  }
};

}  // namespace
}  // namespace qassay::own
