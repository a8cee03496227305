#pragma once

// What integer.h does with sums of products, and its product for few rows.

#include "kernels/x86/tile.h"

namespace qassay::own {
namespace {

// A line's bytes as the products take them.
struct U8 {
  static constexpr int64_t kPerLine = 4;
  static constexpr int kSteps = 1;
  QASSAY_INLINE static void decode(const unsigned char* line, Ints* out) {
    out[0] = load_ints(line);
  }
};

struct U4 {
  static constexpr int64_t kPerLine = 8;
  static constexpr int kSteps = 2;  // low nibbles, then high ones
  QASSAY_INLINE static void decode(const unsigned char* line, Ints* out) {
    const Ints nibbles = load_ints(line);
    out[0] = low_nibbles(nibbles);
    out[1] = high_nibbles(nibbles);
  }
};

/// `correction`: -sum of the codes of x.
QASSAY_INLINE Ints without_zeros(Ints sum, Ints zeros, int32_t correction) {
  return add(sum, multiply(zeros, all(correction)));
}

/// What the reference does with the exact sums of a group: totals = fma(float(sum), scale, totals),
/// where x has one scale a group (`x_scales`, `groups` from row to row; else null) times that.
template <int kRows, int kBlocks>
QASSAY_INLINE void add_group(const Ints (&sums)[kRows][kBlocks], const Floats (&scales)[kBlocks],
                             const float* x_scales, int64_t groups,
                             Floats (&totals)[kRows][kBlocks]) {
  if (x_scales == nullptr) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int b = 0; b < kBlocks; ++b)
        totals[r][b] = fma(to_floats(sums[r][b]), scales[b], totals[r][b]);
    }
    return;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    const Floats x_scale = all(x_scales[r * groups]);
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      totals[r][b] = fma(to_floats(sums[r][b]), multiply(scales[b], x_scale), totals[r][b]);
    }
  }
}

QASSAY_INLINE void finish_row(const LinearArgs& args, int64_t row, int64_t block, Floats total) {
  if (args.group_scales == nullptr) {
    const Floats bias = bias_of(args, block);
    store_outputs(args, row, block, fma(total, all(args.row_scales[row]), bias));
    return;
  }
  const bool first = row % args.parts == 0;
  const int64_t y_row = row / args.parts;
  store_outputs(args, y_row, block,
                add(total, first ? bias_of(args, block) : outputs(args, y_row, block)));
}

/// The product for kRows rows in one pass over the packed memory. A row has kChains sums, so that
/// no product waits for the one before. kGroups: a scale a group, else a channel; kBlocked: x has
/// one a group too. kSpan: lines of every group where that is known, else 0: a loop over few of
/// them is gone then, and the groups, that do not wait for each other, run side by side.
template <typename Products, int kRows, bool kGroups, bool kZeros, bool kBlocked, int kSpan = 0>
void stream_rows(const LinearArgs& args) {
  using Code = typename Products::Code;
  constexpr int kChains = Products::chains(kRows, kSpan);
  const int64_t all_lines = args.k / Code::kPerLine;
  const int64_t span_lines = kSpan > 0 ? kSpan : kGroups ? args.group / Code::kPerLine : all_lines;
  const int64_t groups = kGroups ? divide_up(all_lines, span_lines) : 1;
  for (int64_t block = args.begin_block; block < args.end_block; ++block) {
    Floats totals[kRows][1];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) totals[r][0] = no_floats();
    const unsigned char* line = lines_of(args, block);
    const unsigned char* zeros = zeros_of(args, block);
    Floats pair_of_scales[2] = {no_floats(), no_floats()};
    const Word* x = args.x;
    for (int64_t group = 0; group < groups; ++group) {
      if (kGroups && group % 2 == 0) {
        _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
        pair_of_scales[0] = pair_scales(line, 0);
        pair_of_scales[1] = pair_scales(line, 1);
        line += kLine;
      }
      const int32_t* const corrections = args.corrections + group;
      Ints sums[kRows][kChains];
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        sums[r][0] = kZeros ? no_ints() : all(corrections[r * groups]);
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) sums[r][c] = no_ints();
      }
      Products::add_lines(
          sums, kSpan > 0 ? kSpan : smaller(span_lines, all_lines - group * span_lines), line, x);
      Ints whole[kRows][1];
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        whole[r][0] = Products::whole(sums[r]);
        if (kZeros) {
          whole[r][0] = without_zeros(whole[r][0], load_bytes(zeros), corrections[r * groups]);
        }
      }
      zeros += kBlock;
      const Floats scales[1] = {kGroups ? pair_of_scales[0] : channel_scales(args, block)};
      pair_of_scales[0] = pair_of_scales[1];
      add_group(whole, scales, kBlocked ? args.group_scales + group : nullptr, groups, totals);
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) finish_row(args, r, block, totals[r][0]);
  }
}

template <typename Products, bool kGroups, bool kZeros, bool kBlocked>
void stream_few_rows(const LinearArgs& args) {
  switch (args.m) {
    case 1:
      if constexpr (kGroups) {
        constexpr int kPerLine = Products::Code::kPerLine;
        const bool whole_groups = args.k % args.group == 0;
        if (args.group == 32 && whole_groups)
          return stream_rows<Products, 1, true, kZeros, kBlocked, 32 / kPerLine>(args);
        if (args.group == 128 && whole_groups)
          return stream_rows<Products, 1, true, kZeros, kBlocked, 128 / kPerLine>(args);
      }
      return stream_rows<Products, 1, kGroups, kZeros, kBlocked>(args);
    case 2:
      return stream_rows<Products, 2, kGroups, kZeros, kBlocked>(args);
    case 3:
      return stream_rows<Products, 3, kGroups, kZeros, kBlocked>(args);
    case 4:
      return stream_rows<Products, 4, kGroups, kZeros, kBlocked>(args);
    case 5:
      return stream_rows<Products, 5, kGroups, kZeros, kBlocked>(args);
    default:
      return stream_rows<Products, 6, kGroups, kZeros, kBlocked>(args);
  }
}

template <typename Products, bool kGroups, bool kBlocked>
void stream_few_rows(const LinearArgs& args) {
  args.zero_lines > 0 ? stream_few_rows<Products, kGroups, true, kBlocked>(args)
                      : stream_few_rows<Products, kGroups, false, kBlocked>(args);
}

}  // namespace
}  // namespace qassay::own
