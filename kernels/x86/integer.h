#pragma once

// Int8 activations with 8-bit and 4-bit weights, for every instruction set that sums the products
// of unsigned and signed bytes exactly. It gives
//
//   Products<Code>   Code; chains(rows, lines), the independent sums of a row in a stream of so
//                    many lines (0: unknown); whole(chains), their sum;
//                    add_panel(sums, walk, steps, call), over lines of a panel, a step each; and
//                    add_lines(sums, lines, line, x), over packed ones: sums[row][chain]
//
// The bytes are the codes of the weights, as they are stored, and those of x. The zero of the
// unsigned codes is paid for at the start: each sum begins at -zero * sum of the codes of x. Zero
// points of their own, one a channel or group, are paid for at the end of a sum.
// Up to 6 rows (8 bits a channel: 1) decode the weights in registers, in one pass over memory; for
// more, 4-bit weights and those in groups are unpacked into a panel of bytes that all tiles read.
//
// Contract "bit_exact": sums wrap on their way but not at the end (longer ones than
// longest_sum.hpp's are refused), so their order is free; the floating operations are the
// reference's, one by one.

#include "kernels/x86/integer_stream.h"

namespace qassay::own {
namespace {

/// Unpacks lines into the tile's, one a step.
template <typename Code>
QASSAY_INLINE void unpack(const unsigned char* line, int64_t steps, unsigned char* out) {
  for (int64_t s = 0; s < steps; s += Code::kSteps) {
    Ints codes[Code::kSteps];
    Code::decode(line, codes);
#pragma GCC unroll 2
    for (int i = 0; i < Code::kSteps; ++i) store(out + i * kLine, codes[i]);
    line += kLine;
    out += Code::kSteps * kLine;
  }
}

/// Sums over the whole of k.
template <typename Products>
struct WholeSums {
  using Sum = Ints;
  QASSAY_INLINE static Sum start(const TileCall& call, int row) {
    return all(call.zeros == nullptr ? call.corrections[row * call.groups] : 0);
  }
  QASSAY_INLINE static Sum load(const float* partial) { return load_ints(partial); }
  template <int kRows, int kBlocks>
  QASSAY_INLINE static void add_panel(Sum (&sums)[kRows][kBlocks], Walk& walk,
                                      const TileCall& call) {
    Products::add_panel(sums, walk, call.steps, call);
  }
};

/// One scale a channel: sums run over the whole of k.
template <typename Products>
struct ChannelFormat {
  using Code = typename Products::Code;
  static constexpr int kTileBlocks = own::kTileBlocks;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = Code::kSteps;
  static constexpr int64_t kStreamRows = kLineSteps == 1 ? 1 : kTileRows;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step / kLineSteps * kLine;
  }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    if constexpr (kLineSteps == 1) return {source(args, block, step), args.block_bytes};
    const int64_t stride = spread_lines(steps) * kLine;
    for (int64_t b = 0; b < blocks; ++b)
      unpack<Code>(source(args, block + b, step), steps, args.panel + b * stride);
    return {args.panel, static_cast<size_t>(stride)};
  }
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<WholeSums<Products>, kRows, kBlocks>(call);
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    Ints sum = load_ints(partial);
    if (args.zero_lines > 0)
      sum = without_zeros(sum, group_zeros(args, block, 0), args.corrections[row]);
    finish_row(args, row, block, fma(to_floats(sum), channel_scales(args, block), no_floats()));
  }
  static void stream(const LinearArgs& args) { stream_few_rows<Products, false, false>(args); }
};

/// The tile of formats with a scale a group: exact sums in each, then total = fma(float(sum),
/// scale, total) in their order. The 64 channels are taken by kAtOnce blocks, so that the sums and
/// the totals both stay in registers.
template <typename Products, int kRows, int kAtOnce>
QASSAY_INLINE void group_sums(const TileCall& call, int block) {
  float* const partial = call.partial + block * kBlock;
  Floats totals[kRows][kAtOnce];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b) {
      totals[r][b] = call.first ? no_floats() : load_floats(partial + r * kPanel + b * kBlock);
    }
  }
  Walk walk = begin_walk(call);
  walk.lines += static_cast<size_t>(block) * call.lines.block_stride;
  walk.ahead.at += static_cast<size_t>(block) * call.ahead.block_stride;
  const float* scales = call.scales + block * kBlock;
  const int32_t* zeros = call.zeros == nullptr ? nullptr : call.zeros + block * kBlock;
  int64_t group = call.first_group;
  for (int64_t step = 0; step < call.steps; step += call.group, ++group) {
    Ints sums[kRows][kAtOnce];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const int32_t correction = call.corrections[r * call.groups + group];
#pragma GCC unroll 4
      for (int b = 0; b < kAtOnce; ++b) sums[r][b] = all(zeros == nullptr ? correction : 0);
    }
    Products::add_panel(sums, walk, smaller(call.group, call.steps - step), call);
    if (zeros != nullptr) {
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int b = 0; b < kAtOnce; ++b) {
          sums[r][b] = without_zeros(sums[r][b], load_ints(zeros + b * kBlock),
                                     call.corrections[r * call.groups + group]);
        }
      }
    }
    Floats scale[kAtOnce];
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b) scale[b] = load_floats(scales + b * kBlock);
    add_group(sums, scale, call.group_scales == nullptr ? nullptr : call.group_scales + group,
              call.groups, totals);
    scales += kPanel;
    if (zeros != nullptr) zeros += kPanel;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b) store(partial + r * kPanel + b * kBlock, totals[r][b]);
  }
}

/// Groups along k with an FP16 scale each.
template <typename Products>
struct GroupFormat {
  using Code = typename Products::Code;
  static constexpr int kTileBlocks = own::kTileBlocks;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = Code::kSteps;
  static constexpr int64_t kStreamRows = kTileRows;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step * kWord / args.group, Code::kPerLine);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    const int64_t stride = spread_lines(steps) * kLine;
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* out = args.panel + b * stride;
      int64_t at = b * kBlock;
      for (int64_t begin = step; begin < step + steps; begin += group_steps, at += kPanel) {
        const int64_t group = begin / group_steps;
        const unsigned char* pair = pair_at(args, block + b, group, Code::kPerLine);
        store(args.panel_scales + at, pair_scales(pair, group));
        if (args.zero_lines > 0) store(args.panel_zeros + at, group_zeros(args, block + b, group));
        const int64_t count = smaller(group_steps, step + steps - begin);
        unpack<Code>(group_lines(args, pair, group, Code::kPerLine), count, out);
        out += count * kLine;
      }
    }
    return {args.panel, static_cast<size_t>(stride)};
  }

  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    if constexpr (kRows <= 3 || kBlocks == 1) {
      group_sums<Products, kRows, kBlocks>(call, 0);
    } else {
      for (int block = 0; block + 2 <= kBlocks; block += 2)
        group_sums<Products, kRows, 2>(call, block);
      if constexpr (kBlocks % 2 == 1) group_sums<Products, kRows, 1>(call, kBlocks - 1);
    }
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_row(args, row, block, load_floats(partial));
  }
  static void stream(const LinearArgs& args) {
    args.group_scales == nullptr ? stream_few_rows<Products, true, false>(args)
                                 : stream_few_rows<Products, true, true>(args);
  }
};

}  // namespace
}  // namespace qassay::own
