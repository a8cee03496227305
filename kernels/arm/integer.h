#pragma once

// Int8 activations with 8-bit and 4-bit weights, for every instruction set that sums the products
// of signed bytes exactly. Such a set gives
//
//   Sums<rows>    start, add and get as RowSums has them (tile.h), and add_nibbles(low, high, x):
//                 the two lines of bytes that one line of 4-bit codes stands for, for one row
//
// 8-bit codes are stored as code - 128. 4-bit ones are the positive bytes 0 .. 15, and their zero
// is paid for at the start: each sum begins at -8 * sum of the codes of x.
//
// Contract "bit_exact": no sum of a tile saturates, and the longest that could overflow is refused
// above, so their order is free; the floating operations are the reference's, one by one.

#include "kernels/arm/tile.h"

namespace qassay::own {
namespace {

QASSAY_INLINE void finish_integer(const LinearArgs& args, int64_t row, int64_t block, int v,
                                  float32x4_t sum) {
  const float32x4_t scale = vdupq_n_f32(args.row_scales[row]);
  store(args, row, block, v, vfmaq_f32(bias_of(args, block, v), sum, scale));
}

/// 8-bit codes with one scale a channel.
template <template <int> typename Sums>
struct ChannelFormat {
  static constexpr int kTileBlocks = 1;
  static constexpr int64_t kWord = 4;
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
    whole_sums<Sums<kRows>, kRows>(call);
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block, int v,
                                   int32x4_t sum) {
    const float32x4_t scaled =
        vfmaq_f32(vdupq_n_f32(0), vcvtq_f32_s32(sum), channel_scales(args, block, v));
    finish_integer(args, row, block, v, scaled);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    for (int v = 0; v < kVectors; ++v)
      finish(args, row, block, v, vreinterpretq_s32_f32(vld1q_f32(partial + 4 * v)));
  }

  static void stream(const LinearArgs& args) {
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      Sums<1> sums;
      sums.start(args.corrections, 0);
      sums.add(lines_of(args, block), args.x, args.k / kWord);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) finish(args, 0, block, v, sums.get(0, v));
    }
  }
};

/// One line of 4-bit codes as two lines of bytes, low nibbles and high ones.
struct Nibbles {
  int32x4_t low[kVectors], high[kVectors];

  QASSAY_INLINE explicit Nibbles(const unsigned char* line) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const uint8x16_t both = vld1q_u8(line + v * kVectorBytes);
      low[v] = vreinterpretq_s32_u8(vandq_u8(both, vdupq_n_u8(15)));
      high[v] = vreinterpretq_s32_u8(vshrq_n_u8(both, 4));
    }
  }
};

/// 4-bit codes in groups along k with an FP16 scale each.
template <template <int> typename Sums>
struct GroupFormat {
  static constexpr int kTileBlocks = 1;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = 2;
  static constexpr int64_t kStreamRows = 1;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step * kWord / args.group, kGroupLine);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    unsigned char* out = args.panel;
    float* scales = args.panel_scales;
    for (int64_t begin = step; begin < step + steps; begin += group_steps, scales += kPanel) {
      const int64_t group = begin / group_steps;
      for (int v = 0; v < kVectors; ++v)
        vst1q_f32(scales + 4 * v, group_scales(args, block, group, v));
      const unsigned char* line =
          group_lines(args, pair_at(args, block, group, kGroupLine), group, kGroupLine);
      const int64_t end = smaller(begin + group_steps, step + steps);
      for (int64_t s = begin; s < end; s += kLineSteps, line += kLine, out += 2 * kLine) {
        const Nibbles nibbles(line);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          vst1q_u8(out + v * kVectorBytes, vreinterpretq_u8_s32(nibbles.low[v]));
          vst1q_u8(out + kLine + v * kVectorBytes, vreinterpretq_u8_s32(nibbles.high[v]));
        }
      }
    }
    return {args.panel, 0};
  }

  /// Exact sums in each group, then partial = fma(float(sum), scale, partial) in their order. The
  /// floating sums stay in memory: the integer ones need the registers.
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    if (call.first) {
      for (int i = 0; i < kRows * kVectors; ++i) vst1q_f32(call.partial + 4 * i, vdupq_n_f32(0));
    }
    const unsigned char* lines = call.lines.at;
    const Word* x = call.x;
    const float* scales = call.scales;
    const int32_t* corrections = call.corrections + call.first_group;
    for (int64_t step = 0; step < call.steps; step += call.group) {
      const int64_t steps = smaller(call.group, call.steps - step);
      Sums<kRows> sums;
      sums.start(corrections, call.groups);
      sums.add(lines, x, steps);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          float* partial = call.partial + r * kPanel + 4 * v;
          vst1q_f32(partial, vfmaq_f32(vld1q_f32(partial), vcvtq_f32_s32(sums.get(r, v)),
                                       vld1q_f32(scales + 4 * v)));
        }
      }
      lines += steps * kLine;
      x += steps * kRows;
      scales += kPanel;
      ++corrections;
    }
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    for (int v = 0; v < kVectors; ++v)
      finish_integer(args, row, block, v, vld1q_f32(partial + 4 * v));
  }

  static void stream(const LinearArgs& args) {
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      float32x4_t total[kVectors];
      for (int v = 0; v < kVectors; ++v) total[v] = vdupq_n_f32(0);
      const Word* x = args.x;
      for (int64_t begin = 0, group = 0; begin < args.k; begin += args.group, ++group) {
        const unsigned char* line =
            group_lines(args, pair_at(args, block, group, kGroupLine), group, kGroupLine);
        Sums<1> sums;
        sums.start(args.corrections + group, 0);
        const int64_t end = smaller(begin + args.group, args.k);
        for (int64_t k = begin; k < end; k += kLineSteps * kWord, line += kLine, x += kLineSteps) {
          const Nibbles nibbles(line);
          sums.add_nibbles(nibbles.low, nibbles.high, x);
        }
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          total[v] = vfmaq_f32(total[v], vcvtq_f32_s32(sums.get(0, v)),
                               group_scales(args, block, group, v));
        }
      }
      for (int v = 0; v < kVectors; ++v) finish_integer(args, 0, block, v, total[v]);
    }
  }
};

/// Sums by an instruction, or several, that adds the products of 4 pairs of bytes to each lane.
struct IntegerStart {
  using Sum = int32x4_t;
  QASSAY_INLINE static Sum start(const int32_t* correction) {
    return vdupq_n_s32(correction == nullptr ? 0 : *correction);
  }
};

template <typename Dot, int kRows>
struct IntegerRowSums : RowSums<Dot, kRows> {
  QASSAY_INLINE void add_nibbles(const int32x4_t (&low)[kVectors],
                                 const int32x4_t (&high)[kVectors], const Word* x) {
    this->add_step(low, x);
    this->add_step(high, x + 1);
  }
};

}  // namespace
}  // namespace qassay::own
