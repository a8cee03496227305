#pragma once

// What all tiles of 6 rows x 16 channels share: a block is 4 vectors of 4 channels.

#include <arm_neon.h>

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

constexpr int kVectors = 4;
constexpr int64_t kVectorBytes = 16;

QASSAY_INLINE int32x4_t load_words(const unsigned char* at) {
  return vreinterpretq_s32_u8(vld1q_u8(at));
}
QASSAY_INLINE float32x4_t load_floats(const unsigned char* at) {
  return vreinterpretq_f32_u8(vld1q_u8(at));
}

QASSAY_INLINE float32x4_t bias_of(const LinearArgs& args, int64_t block, int v) {
  return args.has_bias ? load_floats(block_at(args, block) + v * kVectorBytes) : vdupq_n_f32(0);
}
QASSAY_INLINE float32x4_t channel_scales(const LinearArgs& args, int64_t block, int v) {
  return load_floats(block_at(args, block) + (args.has_bias ? kLine : 0) + v * kVectorBytes);
}
// k of a line of 4-bit groups (own/panels.h).
constexpr int64_t kGroupLine = 8;

QASSAY_INLINE float32x4_t group_scales(const LinearArgs& args, int64_t block, int64_t group,
                                       int v) {
  const unsigned char* halves =
      pair_at(args, block, group, kGroupLine) + group % 2 * (kLine / 2) + v * kVectorBytes / 2;
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(halves)));
}

/// The outputs of vector v of a block, as far as there are channels.
QASSAY_INLINE void store(const LinearArgs& args, int64_t row, int64_t block, int v, float32x4_t y) {
  const int64_t channel = block * kBlock + 4 * v;
  float* const out = args.y + row * args.y_stride + channel;
  if (args.n - channel >= 4) {
    vst1q_f32(out, y);
    return;
  }
  float lanes[4];
  vst1q_f32(lanes, y);
  for (int64_t i = 0; i < args.n - channel; ++i) out[i] = lanes[i];
}

QASSAY_INLINE float32x4_t load_partial(const float* at, float32x4_t) { return vld1q_f32(at); }
QASSAY_INLINE int32x4_t load_partial(const float* at, int32x4_t) {
  return vreinterpretq_s32_f32(vld1q_f32(at));
}
QASSAY_INLINE void save_partial(float* at, float32x4_t sum) { vst1q_f32(at, sum); }
QASSAY_INLINE void save_partial(float* at, int32x4_t sum) {
  vst1q_f32(at, vreinterpretq_f32_s32(sum));
}

/// Sums of kRows rows and a block, one to a lane. A Dot has Sum, start(correction or null), and
/// add(sum, 4 words of weights, one word of x 4 times).
template <typename Dot, int kRows>
struct RowSums {
  typename Dot::Sum at[kRows][kVectors];

  /// `corrections`: of the first row, `apart` from one row to the next; null: the sums start at 0.
  QASSAY_INLINE void start(const int32_t* corrections, int64_t apart) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        at[r][v] = Dot::start(corrections == nullptr ? nullptr : corrections + r * apart);
    }
  }

  QASSAY_INLINE void add_step(const int32x4_t (&weights)[kVectors], const Word* x) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const int32x4_t word = vdupq_n_s32(x[r]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) Dot::add(at[r][v], weights[v], word);
    }
  }

  QASSAY_INLINE void add(const unsigned char* lines, const Word* x, int64_t steps) {
    for (int64_t s = 0; s < steps; ++s) {
      int32x4_t weights[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) weights[v] = load_words(lines + v * kVectorBytes);
      add_step(weights, x);
      lines += kLine;
      x += kRows;
    }
  }

  QASSAY_INLINE auto get(int row, int v) const { return at[row][v]; }
};

/// The tile of formats whose sums run over the whole of k.
template <typename Sums, int kRows>
QASSAY_INLINE void whole_sums(const TileCall& call) {
  Sums sums;
  sums.start(call.first ? call.corrections : nullptr, call.groups);
  sums.add(call.lines.at, call.x, call.steps);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* partial = call.partial + r * kPanel + 4 * v;
      const auto sum = sums.get(r, v);
      save_partial(partial, call.first ? sum : sum + load_partial(partial, sum));
    }
  }
}

}  // namespace
}  // namespace qassay::own
