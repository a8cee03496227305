#pragma once

// The tile of AVX-512: a format's Dot has Sum, and add(sum, 16 lanes of weights, one word of x).

#include <immintrin.h>

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

QASSAY_INLINE __m512i load_line(const unsigned char* at) { return _mm512_loadu_si512(at); }

QASSAY_INLINE __mmask16 channels(const LinearArgs& args, int64_t block) {
  const int64_t left = args.n - block * kBlock;
  return static_cast<__mmask16>(left >= kBlock ? 0xFFFF : (1 << left) - 1);
}

QASSAY_INLINE __m512 bias_of(const LinearArgs& args, int64_t block) {
  return args.has_bias ? _mm512_loadu_ps(block_at(args, block)) : _mm512_setzero_ps();
}
QASSAY_INLINE __m512 channel_scales(const LinearArgs& args, int64_t block) {
  return _mm512_loadu_ps(block_at(args, block) + (args.has_bias ? kLine : 0));
}
/// The zero points of a group, as int32.
QASSAY_INLINE __m512i group_zeros(const LinearArgs& args, int64_t block, int64_t group) {
  return _mm512_cvtepu8_epi32(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(zeros_of(args, block) + group * kBlock)));
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

/// Of packed groups (own/panels.h).
QASSAY_INLINE __m512 pair_scales(const unsigned char* pair, int64_t group) {
  const unsigned char* halves = pair + group % 2 * (kLine / 2);
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}
}  // namespace
}  // namespace qassay::own
