#pragma once

// The loops that all instruction sets share, as templates without external names. A format says
// what differs:
//
//   Dot                   Sum, and add(sum, 16 lanes of weights, one word of x)
//   kLineSteps            steps that one packed line holds
//   source(args, block, step)          where the packed lines of a block begin at a step
//   panel(args, block, blocks, step, steps)   the lines as the tile reads them
//   tile<rows, blocks>(call)           sums of one tile over a chunk, kept in call.partial
//   finish(args, row, block, partial)  the outputs of one row and block
//   kStreamRows, stream(args)          the whole product for so few rows, in one pass over the
//   weights

#include <immintrin.h>

#include "kernels/x86/args.h"

namespace qassay::x86 {
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

QASSAY_INLINE __m512i load_line(const unsigned char* at) { return _mm512_loadu_si512(at); }

QASSAY_INLINE __mmask16 channels(const LinearArgs& args, int64_t block) {
  const int64_t left = args.n - block * kBlock;
  return static_cast<__mmask16>(left >= kBlock ? 0xFFFF : (1 << left) - 1);
}

QASSAY_INLINE const unsigned char* block_at(const LinearArgs& args, int64_t block) {
  return args.weights + static_cast<size_t>(block) * args.block_bytes;
}
QASSAY_INLINE __m512 bias_of(const LinearArgs& args, int64_t block) {
  return args.has_bias ? _mm512_loadu_ps(block_at(args, block)) : _mm512_setzero_ps();
}
QASSAY_INLINE __m512 channel_scales(const LinearArgs& args, int64_t block) {
  return _mm512_loadu_ps(block_at(args, block) + (args.has_bias ? kLine : 0));
}
QASSAY_INLINE const unsigned char* zeros_of(const LinearArgs& args, int64_t block) {
  return block_at(args, block) + (args.has_bias ? kLine : 0) +
         (args.has_channel_scales ? kLine : 0);
}
/// The zero points of a group, as int32.
QASSAY_INLINE __m512i group_zeros(const LinearArgs& args, int64_t block, int64_t group) {
  return _mm512_cvtepu8_epi32(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(zeros_of(args, block) + group * kBlock)));
}
QASSAY_INLINE const unsigned char* lines_of(const LinearArgs& args, int64_t block) {
  return zeros_of(args, block) + args.zero_lines * kLine;
}
QASSAY_INLINE void store(const LinearArgs& args, int64_t row, int64_t block, __m512 y) {
  _mm512_mask_storeu_ps(args.y + row * args.y_stride + block * kBlock, channels(args, block), y);
}

template <typename Dot, int kRows, int kBlocks>
QASSAY_INLINE void add_step(typename Dot::Sum (&sums)[kRows][kBlocks], const unsigned char* lines,
                            size_t stride, const Word* x) {
  __m512i weights[kBlocks];
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) weights[b] = load_line(lines + static_cast<size_t>(b) * stride);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    const __m512i word = _mm512_set1_epi32(x[r]);
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) Dot::add(sums[r][b], weights[b], word);
  }
}

/// A walk of a tile through its chunk.
struct Walk {
  const unsigned char* lines;
  const Word* x;
  Lines ahead;
  int64_t stops_to_ahead;
};

QASSAY_INLINE Walk begin_walk(const TileCall& call) {
  return {call.lines.at, call.x, call.ahead, call.ahead_every};
}

/// sums += weights * x over the next `steps` of the walk.
template <typename Dot, int kRows, int kBlocks>
QASSAY_INLINE void add_steps(typename Dot::Sum (&sums)[kRows][kBlocks], Walk& walk, int64_t steps,
                             const TileCall& call) {
  const size_t stride = call.lines.block_stride;
  for (; steps >= kStopSteps; steps -= kStopSteps) {
    if (--walk.stops_to_ahead == 0) {
      walk.stops_to_ahead = call.ahead_every;
      for (int b = 0; b < kBlocks; ++b) {
        _mm_prefetch(walk.ahead.at + static_cast<size_t>(b) * walk.ahead.block_stride, _MM_HINT_T1);
      }
      walk.ahead.at += kLine;
    }
#pragma GCC unroll 4
    for (int s = 0; s < kStopSteps; ++s) {
      add_step<Dot>(sums, walk.lines + s * kLine, stride, walk.x + s * kRows);
    }
    walk.lines += kStopSteps * kLine;
    walk.x += kStopSteps * kRows;
  }
  for (; steps > 0; --steps) {
    add_step<Dot>(sums, walk.lines, stride, walk.x);
    walk.lines += kLine;
    walk.x += kRows;
  }
}

template <typename Format, int kRows>
void run_tile(int64_t blocks, const TileCall& call) {
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

/// Panels of 64 channels; in each, chunks of k small enough for their weights to stay in the cache
/// while all tiles of rows pass over them.
template <typename Format>
void run_panels(const LinearArgs& args) {
  const int64_t tiles = tile_count(args.m);
  const int64_t steps = args.k / Format::kWord;
  const int64_t group_steps = args.group / Format::kWord;
  const int64_t groups = args.group == 0 ? 1 : (args.k + args.group - 1) / args.group;
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
        const int64_t lines_a_tile =
            (next_lines + last_tile - first_tile - 1) / (last_tile - first_tile);
        const bool pull = next_block < args.end_block && lines_a_tile > 0;
        call.ahead_every = pull ? chunk / kStopSteps / lines_a_tile : 0;

        for (int64_t tile = first_tile; tile < last_tile; ++tile) {
          const int64_t row = tile_begin(tile, tiles, args.m);
          const int64_t rows = tile_begin(tile + 1, tiles, args.m) - row;
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

/// The tile of formats whose sums run over the whole of k.
template <typename Dot, int kRows, int kBlocks>
QASSAY_INLINE void whole_sums(const TileCall& call) {
  typename Dot::Sum sums[kRows][kBlocks];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      sums[r][b] =
          call.first ? Dot::start(call, r) : Dot::load(call.partial + r * kPanel + b * kBlock);
    }
  }
  Walk walk = begin_walk(call);
  add_steps<Dot>(sums, walk, call.steps, call);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) Dot::save(call.partial + r * kPanel + b * kBlock, sums[r][b]);
  }
}

/// Sums of FP32 products.
struct FloatSums {
  using Sum = __m512;
  QASSAY_INLINE static Sum start(const TileCall&, int) { return _mm512_setzero_ps(); }
  QASSAY_INLINE static Sum load(const float* partial) { return _mm512_loadu_ps(partial); }
  QASSAY_INLINE static void save(float* partial, Sum sum) { _mm512_storeu_ps(partial, sum); }
};

QASSAY_INLINE void finish_float(const LinearArgs& args, int64_t row, int64_t block, __m512 sum) {
  const __m512 bias = bias_of(args, block);
  store(args, row, block,
        args.has_channel_scales ? _mm512_fmadd_ps(sum, channel_scales(args, block), bias)
                                : _mm512_add_ps(sum, bias));
}

/// Packed groups: 2i and 2i + 1 share a line of 2 x 16 FP16 scales in front of them. `per_line`: k
/// of a line.
QASSAY_INLINE __m512 pair_scales(const unsigned char* pair, int64_t group) {
  const unsigned char* halves = pair + group % 2 * (kLine / 2);
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}
QASSAY_INLINE const unsigned char* pair_at(const LinearArgs& args, int64_t block, int64_t group,
                                           int64_t per_line) {
  return lines_of(args, block) + group / 2 * (1 + 2 * (args.group / per_line)) * kLine;
}
QASSAY_INLINE const unsigned char* group_lines(const LinearArgs& args, const unsigned char* pair,
                                               int64_t group, int64_t per_line) {
  return pair + (1 + group % 2 * (args.group / per_line)) * kLine;
}

}  // namespace
}  // namespace qassay::x86
