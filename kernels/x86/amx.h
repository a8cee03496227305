#pragma once

// Products of many rows on AMX. A tile is 16 words of a row by up to 16 rows of x, or 16 packed
// lines: 16 words of k by 16 channels, as they lie in memory. Each thread walks over its panels and
// chunks of k as own/panels.h does, with tiles of x in pairs; a format says what it does with them:
//
//   kWord                              as in own/panels.h
//   kTogether                          words of a row of x that lie side by side
//   words(args)                        of k that a product of tiles takes, 16 or 8
//   panel(args, block, blocks, step, steps)   lines as a tile reads them
//   rest(args, lines, blocks, steps)   where the last steps % 16 of those are, with others behind
//                                      them that may be read and have no NaN
//   multiply<tall, blocks>(args, call, block)   products of one or two tiles of rows with blocks
//                                      from `block` of the panel on, into call.partial
//   finish(args, row, block, partial)  the outputs of one row and block
//
// The ends of the rows of x are zeros up to a multiple of kTogether words.

#include "kernels/x86/integer.h"
#include "kernels/x86/tiles_amx.h"

namespace qassay::own {
namespace {

constexpr int64_t kTileWords = 16;
constexpr int64_t kTileBytes = kTileWords * kLine;

/// A tile of rows, from the chunk's first words on.
struct RowsOfTile {
  const unsigned char* x;
  int64_t step;  // bytes from kTogether words to the next
  int64_t first, count;
};

struct WideCall {
  Lines lines, rest;
  int64_t steps;
  RowsOfTile rows[2];
  float* partial;  // [2 * kTileHeight][kPanel]
  bool first;      // chunk
  int64_t first_group;
  const float* scales;   // [groups of the chunk][kPanel]
  const int32_t* zeros;  // the same
};

/// Products of kTall tiles of rows with kBlocks blocks from `block` on, their sums side by side in
/// tiles, from kFirst on.
template <typename Dot, int kTall, int kBlocks, int kFirst = 0>
struct SumTiles {
  static constexpr int kSums = kTall * kBlocks;
  static_assert(kFirst + kSums <= kXTile);

  /// x: where the words of the two tiles of rows lie, and the bytes from one row to the next.
  QASSAY_INLINE static void add(const unsigned char* const (&x)[2], const unsigned char* lines,
                                size_t stride, int64_t x_row = kLine) {
    load_tile<kXTile>(x[0], x_row);
    if constexpr (kTall == 2) load_tile<kXTile + 1>(x[1], x_row);
    add_blocks<0>(lines, stride);
  }
  /// at(sum): where a tile begins; `row`: bytes from one of its rows to the next.
  template <int kSum = 0, typename At>
  QASSAY_INLINE static void load(At at, int64_t row) {
    if constexpr (kSum < kSums) {
      load_tile<kFirst + kSum>(at(kSum), row);
      load<kSum + 1>(at, row);
    }
  }
  template <int kSum = 0, typename At>
  QASSAY_INLINE static void store(At at, int64_t row) {
    if constexpr (kSum < kSums) {
      store_tile<kFirst + kSum>(at(kSum), row);
      store<kSum + 1>(at, row);
    }
  }
  template <int kSum = 0>
  QASSAY_INLINE static void clear() {
    if constexpr (kSum < kSums) {
      clear_tile<kFirst + kSum>();
      clear<kSum + 1>();
    }
  }

 private:
  template <int kBlockNumber>
  QASSAY_INLINE static void add_blocks(const unsigned char* lines, size_t stride) {
    if constexpr (kBlockNumber < kBlocks) {
      constexpr int kWeights = kWeightsTile + kBlockNumber % 2;
      load_tile<kWeights>(lines + kBlockNumber * stride, kLine);
      Dot::template add<kFirst + kBlockNumber, kXTile, kWeights>();
      if constexpr (kTall == 2)
        Dot::template add<kFirst + kBlocks + kBlockNumber, kXTile + 1, kWeights>();
      add_blocks<kBlockNumber + 1>(lines, stride);
    }
  }
};

/// Sums over the whole of k, which stay in tiles for a chunk: add() adds its products.
template <typename Sums, int kBlocks, typename Add>
QASSAY_INLINE void sum_chunk(const WideCall& call, int64_t block, Add add) {
  float* const partial = call.partial + block * kBlock;
  const auto at = [partial](int sum) {
    return partial + sum / kBlocks * kTileHeight * kPanel + sum % kBlocks * kBlock;
  };
  constexpr int64_t kRowBytes = kPanel * 4;
  call.first ? Sums::clear() : Sums::load(at, kRowBytes);
  add();
  Sums::store(at, kRowBytes);
}

template <typename Dot, int kTall, int kBlocks>
void whole_tiles(const WideCall& call, int64_t block) {
  using Sums = SumTiles<Dot, kTall, kBlocks>;
  const unsigned char* x[2] = {call.rows[0].x, call.rows[1].x};
  const int64_t x_steps[2] = {call.rows[0].step, call.rows[1].step};
  const unsigned char* lines = call.lines.at + static_cast<size_t>(block) * call.lines.block_stride;
  sum_chunk<Sums, kBlocks>(call, block, [&] {
    for (int64_t tile = call.steps / kTileWords; tile > 0; --tile) {
      Sums::add(x, lines, call.lines.block_stride);
      x[0] += x_steps[0];
      x[1] += x_steps[1];
      lines += kTileBytes;
    }
    if (call.steps % kTileWords != 0)
      Sums::add(x, call.rest.at + static_cast<size_t>(block) * call.rest.block_stride,
                call.rest.block_stride);
  });
}

/// Of packed lines, behind which may be memory that is not ours: copies with zeros behind them.
QASSAY_INLINE Lines copied_rest(const LinearArgs& args, Lines lines, int64_t blocks,
                                int64_t steps) {
  const int64_t rest = steps % kTileWords;
  for (int64_t b = 0; rest > 0 && b < blocks; ++b) {
    const unsigned char* from =
        lines.at + static_cast<size_t>(b) * lines.block_stride + (steps - rest) * kLine;
    unsigned char* to = args.panel + b * kTileBytes;
    for (int64_t line = 0; line < kTileWords; ++line)
      store(to + line * kLine, line < rest ? load_ints(from + line * kLine) : no_ints());
  }
  return {args.panel, kTileBytes};
}
/// Of lines in args.panel.
QASSAY_INLINE Lines rest_of_panel(Lines lines, int64_t steps) {
  return {lines.at + steps / kTileWords * kTileBytes, lines.block_stride};
}

template <typename Format, int kTall>
QASSAY_INLINE void multiply_panel(const LinearArgs& args, const WideCall& call, int64_t blocks) {
  if constexpr (kTall == 2) {
    for (int64_t b = 0; b + 2 <= blocks; b += 2) Format::template multiply<2, 2>(args, call, b);
    if (blocks % 2 == 1) Format::template multiply<2, 1>(args, call, blocks - 1);
  } else {
    switch (blocks) {
      case 1:
        return Format::template multiply<1, 1>(args, call, 0);
      case 2:
        return Format::template multiply<1, 2>(args, call, 0);
      case 3:
        return Format::template multiply<1, 3>(args, call, 0);
      default:
        return Format::template multiply<1, 4>(args, call, 0);
    }
  }
}

template <typename Format>
void run_wide(const LinearArgs& args) {
  const int64_t tiles = tile_count(args.m, kTileHeight);
  const int64_t steps = args.k / Format::kWord;
  const int64_t row_words = divide_up(steps, Format::kTogether) * Format::kTogether;
  const Tiles tiles_of_thread(divide_up(args.m / args.parts, tiles) * args.parts,
                              Format::words(args));
  for (int64_t first_tile = 0; first_tile < tiles; first_tile += args.tiles_at_once) {
    const int64_t last_tile = smaller(first_tile + args.tiles_at_once, tiles);
    for (int64_t block = args.begin_block; block < args.end_block; block += kPanelBlocks) {
      const int64_t blocks = smaller(kPanelBlocks, args.end_block - block);
      for (int64_t step = 0; step < steps; step += args.chunk_steps) {
        const int64_t chunk = smaller(args.chunk_steps, steps - step);
        const bool last = step + chunk == steps;
        WideCall call{};
        call.first = step == 0;
        call.first_group = args.group == 0 ? 0 : step * Format::kWord / args.group;
        call.scales = args.panel_scales;
        call.zeros = args.zero_lines > 0 ? args.panel_zeros : nullptr;
        call.steps = chunk;
        call.lines = Format::panel(args, block, blocks, step, chunk);
        call.rest = Format::rest(args, call.lines, blocks, chunk);

        for (int64_t tile = first_tile; tile < last_tile; tile += 2) {
          call.partial = args.partial + (tile - first_tile) * kTileHeight * kPanel;
          const int64_t tall = smaller(2, last_tile - tile);
          for (int64_t t = 0; t < tall; ++t) {
            const int64_t row = tile_begin(tile + t, tiles, args.m, args.parts);
            const int64_t count = tile_begin(tile + t + 1, tiles, args.m, args.parts) - row;
            call.rows[t] = {
                reinterpret_cast<const unsigned char*>(args.x + row * row_words + step * count),
                count * Format::kTogether * int64_t{sizeof(Word)}, row, count};
          }
          tall == 2 ? multiply_panel<Format, 2>(args, call, blocks)
                    : multiply_panel<Format, 1>(args, call, blocks);
          if (!last) continue;
          for (int64_t t = 0; t < tall; ++t) {
            for (int64_t r = 0; r < call.rows[t].count; ++r) {
              for (int64_t b = 0; b < blocks; ++b) {
                Format::finish(args, call.rows[t].first + r, block + b,
                               call.partial + (t * kTileHeight + r) * kPanel + b * kBlock);
              }
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace qassay::own
