#pragma once

// The tile of every instruction set, whose vectors_<isa>.h comes before. A format's Dot has Sum;
// start(call, row) and load(partial), what a sum begins with; add_panel(sums, walk, call), over the
// chunk; and, for add_steps, add(sum, 16 lanes of weights, one word of x).

#include <immintrin.h>

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

QASSAY_INLINE Floats bias_of(const LinearArgs& args, int64_t block) {
  return args.has_bias ? load_floats(block_at(args, block)) : no_floats();
}
QASSAY_INLINE Floats channel_scales(const LinearArgs& args, int64_t block) {
  return load_floats(block_at(args, block) + (args.has_bias ? kLine : 0));
}
/// The zero points of a group, as int32.
QASSAY_INLINE Ints group_zeros(const LinearArgs& args, int64_t block, int64_t group) {
  return load_bytes(zeros_of(args, block) + group * kBlock);
}
QASSAY_INLINE Floats outputs(const LinearArgs& args, int64_t row, int64_t block) {
  return load_first(args.y + row * args.y_stride + block * kBlock, args.n - block * kBlock);
}
QASSAY_INLINE void store_outputs(const LinearArgs& args, int64_t row, int64_t block, Floats y) {
  store_first(args.y + row * args.y_stride + block * kBlock, args.n - block * kBlock, y);
}

template <typename Dot, int kRows, int kBlocks>
QASSAY_INLINE void add_step(typename Dot::Sum (&sums)[kRows][kBlocks], const unsigned char* lines,
                            size_t stride, const Word* x) {
  Ints weights[kBlocks];
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) weights[b] = load_ints(lines + static_cast<size_t>(b) * stride);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    const Ints word = all(x[r]);
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

/// At every kStopSteps-th step: pulls some of the next chunk, if it is time.
template <int kBlocks>
QASSAY_INLINE void stop(Walk& walk, const TileCall& call) {
  if (--walk.stops_to_ahead != 0) return;
  walk.stops_to_ahead = call.ahead_every;
  for (int b = 0; b < kBlocks; ++b)
    _mm_prefetch(walk.ahead.at + static_cast<size_t>(b) * walk.ahead.block_stride, _MM_HINT_T1);
  walk.ahead.at += kLine;
}

/// sums += weights * x over the next `steps` of the walk.
template <typename Dot, int kRows, int kBlocks>
QASSAY_INLINE void add_steps(typename Dot::Sum (&sums)[kRows][kBlocks], Walk& walk, int64_t steps,
                             const TileCall& call) {
  const size_t stride = call.lines.block_stride;
  for (; steps >= kStopSteps; steps -= kStopSteps) {
    stop<kBlocks>(walk, call);
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
  Dot::add_panel(sums, walk, call);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) store(call.partial + r * kPanel + b * kBlock, sums[r][b]);
  }
}

/// Sums of FP32 products, one instruction a step and vector.
template <typename Dot>
struct FloatSums {
  using Sum = Floats;
  QASSAY_INLINE static Sum start(const TileCall&, int) { return no_floats(); }
  QASSAY_INLINE static Sum load(const float* partial) { return load_floats(partial); }
  template <int kRows, int kBlocks>
  QASSAY_INLINE static void add_panel(Sum (&sums)[kRows][kBlocks], Walk& walk,
                                      const TileCall& call) {
    add_steps<Dot>(sums, walk, call.steps, call);
  }
};

QASSAY_INLINE void finish_float(const LinearArgs& args, int64_t row, int64_t block, Floats sum) {
  const Floats bias = bias_of(args, block);
  store_outputs(
      args, row, block,
      args.has_channel_scales ? fma(sum, channel_scales(args, block), bias) : add(sum, bias));
}

/// Of packed groups (own/panels.h).
QASSAY_INLINE Floats pair_scales(const unsigned char* pair, int64_t group) {
  return load_halves(pair + group % 2 * (kLine / 2));
}

}  // namespace
}  // namespace qassay::own
