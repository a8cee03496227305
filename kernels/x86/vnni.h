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

  /// `lines`: of a sum, where that is known, else 0. The chains of short sums are short themselves.
  static constexpr int chains(int rows, int lines) {
    constexpr int kFewLines = 8;
    const int chains = Dot::chains(rows);
    return lines > 0 && lines <= kFewLines && chains > 2 ? 2 : chains;
  }

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
#pragma GCC unroll 4
    for (; lines >= kLines; lines -= kLines) {
#pragma GCC unroll 4
      for (int l = 0; l < kLines; ++l) {
        _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
        Ints codes[Code::kSteps];
        decode<kChains>(line + l * kLine, codes);
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
      decode<kChains>(line, codes);
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

  template <int kChains>
  QASSAY_INLINE static Ints whole(const Ints (&chains)[kChains]) {
    Ints sums[2] = {chains[0], no_ints()};  // of the low nibbles (or bytes), and of the high ones
#pragma GCC unroll 4
    for (int c = 1; c < kChains; ++c) {
      Ints& sum = sums[kNibbles ? c % 2 : 0];
      sum = c == 1 && kNibbles ? chains[c] : add(sum, chains[c]);
    }
    return kNibbles && kChains > 1 ? add(sums[0], sixteenths(sums[1])) : sums[0];
  }

 private:
  static constexpr bool kNibbles = Code::kSteps == 2;

  /// Chains that take the low and the high nibbles apart may have 16 times the high ones: the sums
  /// still fit (16 * 15 * 128 * half of the longest), and their sixteenths are exact.
  template <int kChains>
  QASSAY_INLINE static void decode(const unsigned char* line, Ints* codes) {
    if constexpr (kNibbles && kChains > 1) {
      const Ints nibbles = load_ints(line);
      codes[0] = low_nibbles(nibbles);
      codes[1] = high_nibbles_times_16(nibbles);
    } else {
      Code::decode(line, codes);
    }
  }
};

}  // namespace
}  // namespace qassay::own
