#pragma once

// Sums of groups on AMX: tiles hold those of one group at a time, and go through memory to be
// scaled and added to the totals of their rows and channels (call.partial). What becomes of a sum
// is said by `Scaling`:
//
//   kWord                          k of a word of x
//   of(args)                       one for a call, with
//   groups                         that a row has in args.corrections and args.group_scales
//   group(call, at)                what a block has for a group in call.scales and call.zeros
//   add(group, at, sums, total)    total with a row's 16 sums, of the row's group at `at` in args

#include "kernels/x86/amx.h"

namespace qassay::own {
namespace {

/// Words of k that a product of tiles takes: a group has whole ones.
QASSAY_INLINE int64_t words_at_once(const LinearArgs& args, int64_t k_per_word) {
  return args.group / k_per_word % kTileWords == 0 ? kTileWords : kTileWords / 2;
}

/// One or two tiles of rows by up to four blocks. Two halves of that, of one block or of two, take
/// turns, each with two tiles of sums: a tile that is being stored cannot be summed in.
template <typename Dot, int kTall, int kBlocks, typename Scaling>
struct GroupTiles {
  static constexpr int kHalfBlocks = kTall == 2 || kBlocks == 1 ? 1 : 2;
  static constexpr int kSecond = kBlocks - kHalfBlocks;  // blocks of the second half
  using First = SumTiles<Dot, kTall, kHalfBlocks>;
  using Second = SumTiles<Dot, kTall, kSecond, 2>;
  static constexpr int64_t kTileSums = kTileHeight * kBlock;

  /// Of a group, [block][row of the tiles][channel].
  struct Stored {
    alignas(kLine) Word at[kBlocks][kTall * kTileSums];
  };

  static void run(const LinearArgs& args, const WideCall& call, int64_t block) {
    Stored sums[2];
    const Scaling scaling = Scaling::of(args);
    if (call.first) clear_totals(call, block);
    const int64_t group_steps = args.group / Scaling::kWord;
    const int64_t groups = divide_up(call.steps, group_steps);
    const unsigned char* const lines =
        call.lines.at + static_cast<size_t>(block) * call.lines.block_stride;
    const unsigned char* const more = lines + kHalfBlocks * call.lines.block_stride;
    const int64_t words = words_at_once(args, Scaling::kWord);
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = g * group_steps;
      const int64_t end = smaller(begin + group_steps, call.steps);
      Stored& mine = sums[g % 2];
      Stored& before = sums[(g + 1) % 2];
      if constexpr (kSecond == 0) {
        sum<First>(call, lines, words, begin, end, [] {});
        store_half<First>(mine.at[0]);
      } else {
        sum<First>(call, lines, words, begin, end, [&] {
          if (g > 0) store_half<Second>(before.at[kHalfBlocks]);
        });
        sum<Second>(call, more, words, begin, end, [&] { store_half<First>(mine.at[0]); });
      }
      if (g > 0) scale(scaling, call, block, g - 1, before);
    }
    Stored& last = sums[(groups - 1) % 2];
    if constexpr (kSecond > 0) store_half<Second>(last.at[kHalfBlocks]);
    scale(scaling, call, block, groups - 1, last);
  }

 private:
  /// Of words [begin, end) of a half; `between` is called when it has begun.
  template <typename Half, typename Between>
  QASSAY_INLINE static void sum(const WideCall& call, const unsigned char* lines, int64_t words,
                                int64_t begin, int64_t end, Between between) {
    Half::clear();
    add<Half>(call, lines, begin);
    between();
    for (int64_t step = begin + words; step < end; step += words) add<Half>(call, lines, step);
  }
  template <typename Half>
  QASSAY_INLINE static void add(const WideCall& call, const unsigned char* lines, int64_t step) {
    const int64_t tile = step / kTileWords;
    const int64_t word = step % kTileWords * 4;
    const unsigned char* const x[2] = {call.rows[0].x + tile * call.rows[0].step + word,
                                       call.rows[1].x + tile * call.rows[1].step + word};
    Half::add(x, lines + step * kLine, call.lines.block_stride);
  }
  template <typename Half>
  QASSAY_INLINE static void store_half(Word* sums) {
    Half::store([sums](int sum) { return sums + sum * kTileSums; }, kLine);
  }

  static void clear_totals(const WideCall& call, int64_t block) {
    for (int t = 0; t < kTall; ++t) {
      for (int64_t r = 0; r < call.rows[t].count; ++r) {
        float* const totals = call.partial + (t * kTileHeight + r) * kPanel + block * kBlock;
        for (int b = 0; b < kBlocks; ++b) store(totals + b * kBlock, no_floats());
      }
    }
  }

  /// Adds the sums of a group to the totals.
  QASSAY_INLINE static void scale(const Scaling& scaling, const WideCall& call, int64_t block,
                                  int64_t group, const Stored& sums) {
    typename Scaling::Group of[kBlocks];
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b)
      of[b] = Scaling::group(call, group * kPanel + (block + b) * kBlock);
#pragma GCC unroll 2
    for (int t = 0; t < kTall; ++t) {
      float* const totals = call.partial + t * kTileHeight * kPanel + block * kBlock;
      const Word* const stored = sums.at[0] + t * kTileSums;
      const int64_t at = call.rows[t].first * scaling.groups + call.first_group + group;
      const int64_t count = call.rows[t].count;
      if (count == kTileHeight) {
#pragma GCC unroll 16
        for (int r = 0; r < kTileHeight; ++r) scale_row(scaling, of, at, r, stored, totals);
      } else {
        for (int64_t r = 0; r < count; ++r) scale_row(scaling, of, at, r, stored, totals);
      }
    }
  }
  QASSAY_INLINE static void scale_row(const Scaling& scaling,
                                      const typename Scaling::Group (&of)[kBlocks], int64_t at,
                                      int64_t row, const Word* sums, float* totals) {
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      float* const total = totals + row * kPanel + b * kBlock;
      store(total, scaling.add(of[b], at + row * scaling.groups,
                               sums + b * kTall * kTileSums + row * kBlock, load_floats(total)));
    }
  }
};

template <typename Dot, int kTall, int kBlocks, typename Scaling>
void group_tiles(const LinearArgs& args, const WideCall& call, int64_t block) {
  GroupTiles<Dot, kTall, kBlocks, Scaling>::run(args, call, block);
}

}  // namespace
}  // namespace qassay::own
