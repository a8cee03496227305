#pragma once

// Sums of groups along k on AMX: one tile of rows by one block at a time, whose 16 totals stay in
// registers while the sums of group after group come out of four tiles by way of memory.

#include "kernels/x86/amx.h"

namespace qassay::own {
namespace {

/// `Dot`: one of tiles_amx.h; kWordOfK: k of a word.
template <typename Dot, int64_t kWordOfK>
struct GroupsInTurn {
  static constexpr int64_t kWord = kWordOfK;
  // Groups whose products are under way while those of another are scaled.
  static constexpr int64_t kUnderWay = 3;

  static int64_t words(const LinearArgs& args) {
    return args.group / kWord % kTileWords == 0 ? kTileWords : kTileWords / 2;
  }

 protected:
  /// The sums of the group that begins at `step`, into `sums`.
  template <int kWhich>
  QASSAY_INLINE static void sum_group(const LinearArgs& args, const WideCall& call,
                                      const RowsOfTile& rows, int64_t step, void* sums) {
    constexpr int kX = kXTile + kWhich % 2;
    constexpr int kWeights = kWeightsTile + kWhich % 2;
    const int64_t words_at_once = words(args);
    const int64_t end = smaller(step + args.group / kWord, call.steps);
    clear_tile<kWhich>();
    for (; step < end; step += words_at_once) {
      load_tile<kX>(
          rows.x + step / kTileWords * rows.step + step % kTileWords * int64_t{sizeof(Word)},
          kLine);
      load_tile<kWeights>(call.lines.at + step * kLine, kLine);
      Dot::template add<kWhich, kX, kWeights>();
    }
    store_tile<kWhich>(sums, kLine);
  }

  /// Into one tile after another, by the number of the group.
  QASSAY_INLINE static void begin_group(const LinearArgs& args, const WideCall& call,
                                        const RowsOfTile& rows, int64_t group, void* sums) {
    const int64_t step = group * (args.group / kWord);
    switch (group % 4) {
      case 0:
        return sum_group<0>(args, call, rows, step, sums);
      case 1:
        return sum_group<1>(args, call, rows, step, sums);
      case 2:
        return sum_group<2>(args, call, rows, step, sums);
      default:
        return sum_group<3>(args, call, rows, step, sums);
    }
  }
};

}  // namespace
}  // namespace qassay::own
