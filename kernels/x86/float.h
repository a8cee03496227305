#pragma once

// FP32 activations with FP32, FP16, BF16, 8-bit and 4-bit weights, for every instruction set. It
// gives decoders: kPerLine, the k of a packed line; value(line, i), its i-th k of 16 channels as
// FP32; kZero, what an integer code is decoded without.
//
// One row of x: each packed line is decoded in registers, multiplied and forgotten: one pass over
// the weights at the speed of memory. More rows: a panel of weights is decoded once into FP32 lines
// in the cache, and the same tile of FP32 runs over it for every format.
//
// Contract "reordered": FP32 sums of fused products, in 4 interleaved sums along k for one row and
// in order of k for more. Scales a channel are multiplied after the sum, those of groups after the
// group's for one row and into the weights for more.

#include "kernels/x86/tile.h"

namespace qassay::own {
namespace {

struct FloatDot : FloatSums<FloatDot> {
  QASSAY_INLINE static void add(Floats& sum, Ints weights, Ints x) { add_product(sum, weights, x); }
};

/// Codes with zero points of their own: what is to be taken from the decoded code - kZero.
template <typename Code>
QASSAY_INLINE Floats offsets(const LinearArgs& args, int64_t block, int64_t group) {
  return to_floats(subtract(group_zeros(args, block, group), all(Code::kZero)));
}

/// Decoders with an offset, for the loops that know no more: none, or one for all of a group.
template <typename Code>
struct Plain {
  static constexpr int kPerLine = Code::kPerLine;
  QASSAY_INLINE static Plain of(const LinearArgs&, int64_t, int64_t) { return {}; }
  QASSAY_INLINE Floats value(const unsigned char* line, int i) const {
    return Code::value(line, i);
  }
};

template <typename Code>
struct WithZeros {
  static constexpr int kPerLine = Code::kPerLine;
  Floats offset;
  QASSAY_INLINE static WithZeros of(const LinearArgs& args, int64_t block, int64_t group) {
    return {offsets<Code>(args, block, group)};
  }
  QASSAY_INLINE Floats value(const unsigned char* line, int i) const {
    return subtract(Code::value(line, i), offset);
  }
};

/// sums[i % 4] += the products of `lines` lines; moves `line` behind them.
template <typename Decoder>
QASSAY_INLINE void add_lines(const Decoder& decoder, Floats (&sums)[4], const unsigned char*& line,
                             int64_t lines, const float* x) {
  constexpr int kPer = Decoder::kPerLine;
  constexpr int kLines = kPer < 4 ? 4 / kPer : 1;  // until all four sums have had their turn
  for (; lines >= kLines; lines -= kLines) {
    _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
#pragma GCC unroll 4
    for (int l = 0; l < kLines; ++l) {
      if (l > 0) _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
#pragma GCC unroll 8
      for (int i = 0; i < kPer; ++i) {
        Floats& sum = sums[(l * kPer + i) % 4];
        sum = fma(decoder.value(line + l * kLine, i), all(x[l * kPer + i]), sum);
      }
    }
    line += kLines * kLine;
    x += kLines * kPer;
  }
  for (; lines > 0; --lines) {
#pragma GCC unroll 8
    for (int i = 0; i < kPer; ++i)
      sums[i % 4] = fma(decoder.value(line, i), all(x[i]), sums[i % 4]);
    line += kLine;
    x += kPer;
  }
}

QASSAY_INLINE Floats total(const Floats (&sums)[4]) {
  return add(add(sums[0], sums[1]), add(sums[2], sums[3]));
}

struct FloatFormat {
  static constexpr int kTileBlocks = own::kTileBlocks;
  static constexpr int64_t kWord = 1;
  static constexpr int64_t kStreamRows = 1;

  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<FloatDot, kRows, kBlocks>(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }
};

/// Weights with no scales, or one a channel.
template <typename Decoder>
struct ChannelFormat : FloatFormat {
  static constexpr int64_t kLineSteps = Decoder::kPerLine;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step / kLineSteps * kLine;
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    if constexpr (kLineSteps == 1) return {source(args, block, step), args.block_bytes};
    for (int64_t b = 0; b < blocks; ++b) {
      const Decoder decoder = Decoder::of(args, block + b, 0);
      const unsigned char* line = source(args, block + b, step);
      unsigned char* out = args.panel + b * spread_lines(steps) * kLine;
      for (int64_t s = 0; s < steps; s += kLineSteps) {
#pragma GCC unroll 8
        for (int i = 0; i < kLineSteps; ++i) store(out + i * kLine, decoder.value(line, i));
        line += kLine;
        out += kLineSteps * kLine;
      }
    }
    return {args.panel, static_cast<size_t>(spread_lines(steps) * kLine)};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      Floats sums[4] = {no_floats(), no_floats(), no_floats(), no_floats()};
      const unsigned char* line = lines_of(args, block);
      add_lines(Decoder::of(args, block, 0), sums, line, args.k / kLineSteps, x);
      finish_float(args, 0, block, total(sums));
    }
  }
};

/// Integer weights in groups along k. A decoded weight is its value, rounded once, or exact: 4 bits
/// times the 11 of an FP16 scale.
template <typename Decoder>
struct GroupFormat : FloatFormat {
  static constexpr int64_t kLineSteps = Decoder::kPerLine;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step / args.group, kLineSteps);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* out = args.panel + b * spread_lines(steps) * kLine;
      for (int64_t begin = step; begin < step + steps; begin += args.group) {
        const int64_t group = begin / args.group;
        const Decoder decoder = Decoder::of(args, block + b, group);
        const unsigned char* pair = pair_at(args, block + b, group, kLineSteps);
        const Floats scales = pair_scales(pair, group);
        const unsigned char* line = group_lines(args, pair, group, kLineSteps);
        const int64_t end = smaller(begin + args.group, step + steps);
        for (int64_t s = begin; s < end; s += kLineSteps) {
#pragma GCC unroll 8
          for (int i = 0; i < kLineSteps; ++i)
            store(out + i * kLine, multiply(decoder.value(line, i), scales));
          line += kLine;
          out += kLineSteps * kLine;
        }
      }
    }
    return {args.panel, static_cast<size_t>(spread_lines(steps) * kLine)};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      Floats sum = no_floats();
      const unsigned char* line = lines_of(args, block);
      const unsigned char* pair = line;
      for (int64_t begin = 0, group = 0; begin < args.k; begin += args.group, ++group) {
        if (group % 2 == 0) {
          pair = line;
          _mm_prefetch(pair + kStreamAhead, _MM_HINT_T0);
          line += kLine;
        }
        Floats sums[4] = {no_floats(), no_floats(), no_floats(), no_floats()};
        add_lines(Decoder::of(args, block, group), sums, line,
                  smaller(args.group, args.k - begin) / kLineSteps, x + begin);
        sum = fma(total(sums), pair_scales(pair, group), sum);
      }
      finish_float(args, 0, block, sum);
    }
  }
};

template <template <typename> typename Format, typename Code>
void run_integers(const LinearArgs& args) {
  if (args.zero_lines > 0) {
    run_linear<Format<WithZeros<Code>>>(args);
  } else {
    run_linear<Format<Plain<Code>>>(args);
  }
}

}  // namespace
}  // namespace qassay::own
