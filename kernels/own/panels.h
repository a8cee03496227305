#pragma once

// The loops that all instruction sets share, as templates without external names. A format says
// what differs:
//
//   kWord                 k of one word of x
//   kLineSteps            steps that one packed line holds
//   source(args, block, step)          where the packed lines of a block begin at a step
//   panel(args, block, blocks, step, steps)   the lines as the tile reads them
//   kTileBlocks           blocks that a tile takes at once: 1 or kPanelBlocks
//   tile<rows, blocks>(call)           sums of one tile over a chunk, kept in call.partial
//   finish(args, row, block, partial)  the outputs of one row and block
//   kStreamRows, stream(args)          the whole product for so few rows, in one pass over the
//                                      weights

#include "kernels/own/args.h"

namespace qassay::own {
namespace {

#define QASSAY_INLINE [[gnu::always_inline]] inline

// How far ahead of its use a stream's weights are asked for.
constexpr int64_t kStreamAhead = 2048;

struct Lines {
  const unsigned char* at;
  size_t block_stride;
};

struct TileCall {
  Lines lines;
  const Word* x;  // [steps][rows]
  int64_t steps;
  float* partial;              // [rows][kPanel]
  bool first;                  // chunk: nothing in partial yet
  const int32_t* corrections;  // of the tile's first row
  const float* group_scales;   // the same; null unless x has one scale a group
  int64_t groups;              // from one row's corrections to the next
  int64_t group, first_group;  // steps of a group; number of the chunk's first
  const float* scales;         // [groups of the chunk][kPanel]
  const int32_t* zeros;        // the same; null for symmetric weights
  // Weights of the next chunk, which each tile pulls its part of into L2 as it computes: one line
  // a block at every `ahead_every`th stop; 0: none.
  Lines ahead;
  int64_t ahead_every;
};

// Steps from one stop to the next.
constexpr int64_t kStopSteps = 4;

QASSAY_INLINE const unsigned char* block_at(const LinearArgs& args, int64_t block) {
  return args.weights + static_cast<size_t>(block) * args.block_bytes;
}
QASSAY_INLINE const unsigned char* zeros_of(const LinearArgs& args, int64_t block) {
  return block_at(args, block) + (args.has_bias ? kLine : 0) +
         (args.has_channel_scales ? kLine : 0);
}
QASSAY_INLINE const unsigned char* lines_of(const LinearArgs& args, int64_t block) {
  return zeros_of(args, block) + args.zero_lines * kLine;
}
/// Packed groups: 2i and 2i + 1 share a line of 2 x 16 FP16 scales in front of them. `per_line`: k
/// of a line.
QASSAY_INLINE const unsigned char* pair_at(const LinearArgs& args, int64_t block, int64_t group,
                                           int64_t per_line) {
  return lines_of(args, block) + group / 2 * (1 + 2 * (args.group / per_line)) * kLine;
}
QASSAY_INLINE const unsigned char* group_lines(const LinearArgs& args, const unsigned char* pair,
                                               int64_t group, int64_t per_line) {
  return pair + (1 + group % 2 * (args.group / per_line)) * kLine;
}

/// The call for one block of the panel.
QASSAY_INLINE TileCall block_of(TileCall call, int64_t block) {
  call.lines.at += static_cast<size_t>(block) * call.lines.block_stride;
  call.ahead.at += static_cast<size_t>(block) * call.ahead.block_stride;
  call.partial += block * kBlock;
  call.scales += block * kBlock;
  if (call.zeros != nullptr) call.zeros += block * kBlock;
  return call;
}

template <typename Format, int kRows>
void run_tile(int64_t blocks, const TileCall& call) {
  if constexpr (Format::kTileBlocks == 1) {
    for (int64_t b = 0; b < blocks; ++b) Format::template tile<kRows, 1>(block_of(call, b));
  } else {
    switch (blocks) {
      case 1:
        return Format::template tile<kRows, 1>(call);
      case 2:
        return Format::template tile<kRows, 2>(call);
      case 3:
        return Format::template tile<kRows, 3>(call);
      default:
        return Format::template tile<kRows, 4>(call);
    }
  }
}

template <typename Format>
void run_tile(int64_t rows, int64_t blocks, const TileCall& call) {
  switch (rows) {
    case 1:
      return run_tile<Format, 1>(blocks, call);
    case 2:
      return run_tile<Format, 2>(blocks, call);
    case 3:
      return run_tile<Format, 3>(blocks, call);
    case 4:
      return run_tile<Format, 4>(blocks, call);
    case 5:
      return run_tile<Format, 5>(blocks, call);
    default:
      return run_tile<Format, 6>(blocks, call);
  }
}

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// Panels of kPanel channels; in each, chunks of k small enough for their weights to stay in the
/// cache while all tiles of rows pass over them.
template <typename Format>
void run_panels(const LinearArgs& args) {
  const int64_t tiles = tile_count(args.m);
  const int64_t steps = args.k / Format::kWord;
  const int64_t group_steps = args.group / Format::kWord;
  const int64_t groups = args.group == 0 ? 1 : divide_up(args.k, args.group);
  for (int64_t first_tile = 0; first_tile < tiles; first_tile += args.tiles_at_once) {
    const int64_t last_tile = smaller(first_tile + args.tiles_at_once, tiles);
    for (int64_t block = args.begin_block; block < args.end_block; block += kPanelBlocks) {
      const int64_t blocks = smaller(kPanelBlocks, args.end_block - block);
      for (int64_t step = 0; step < steps; step += args.chunk_steps) {
        const int64_t chunk = smaller(args.chunk_steps, steps - step);
        const bool last = step + chunk == steps;

        TileCall call{};
        call.lines = Format::panel(args, block, blocks, step, chunk);
        call.steps = chunk;
        call.first = step == 0;
        call.groups = groups;
        call.group = group_steps;
        call.first_group = args.group == 0 ? 0 : step / group_steps;
        call.scales = args.panel_scales;
        call.zeros = args.zero_lines > 0 ? args.panel_zeros : nullptr;

        // With few tiles a chunk is gone before the next could arrive.
        const int64_t next_block = last ? block + kPanelBlocks : block;
        const int64_t next_step = last ? 0 : step + chunk;
        const int64_t next_lines =
            smaller(args.chunk_steps, steps - next_step) / Format::kLineSteps;
        const int64_t lines_a_tile = divide_up(next_lines, last_tile - first_tile);
        const bool pull = next_block < args.end_block && lines_a_tile > 0;
        call.ahead_every = pull ? chunk / kStopSteps / lines_a_tile : 0;

        for (int64_t tile = first_tile; tile < last_tile; ++tile) {
          const int64_t row = tile_begin(tile, tiles, args.m, args.parts);
          const int64_t rows = tile_begin(tile + 1, tiles, args.m, args.parts) - row;
          call.x = args.x + row * steps + step * rows;
          call.partial = args.partial + (tile - first_tile) * kTileRows * kPanel;
          call.corrections = args.corrections + row * groups;
          call.group_scales =
              args.group_scales == nullptr ? nullptr : args.group_scales + row * groups;
          if (pull) {
            call.ahead = {Format::source(args, next_block, next_step) +
                              (tile - first_tile) * lines_a_tile * kLine,
                          args.block_bytes};
          }
          run_tile<Format>(rows, blocks, call);
          if (!last) continue;
          for (int64_t r = 0; r < rows; ++r) {
            for (int64_t b = 0; b < blocks; ++b) {
              Format::finish(args, row + r, block + b, call.partial + r * kPanel + b * kBlock);
            }
          }
        }
      }
    }
  }
}

template <typename Format>
QASSAY_INLINE void run_linear(const LinearArgs& args) {
  if (args.m <= Format::kStreamRows) {
    Format::stream(args);
  } else {
    run_panels<Format>(args);
  }
}

}  // namespace
}  // namespace qassay::own
