#pragma once

// What both kernels on codes do with a half of a line: decode in registers, multiply on the tensor
// cores, scale the sums of a group.
//
// Codes become FP16 by a shift, a mask and the subtraction of the zero point, all exact. x is FP16;
// products are exact and summed in FP32 by the tensor cores. The sum of a span of k that shares
// its scales is multiplied with them and added in FP32: weights are never rounded.

#include <math.h>
#include <stdint.h>

#include "kernels/cuda/codes_args.h"
#include "kernels/cuda/instructions.cuh"
#include "kernels/cuda/layout.h"

namespace qassay::cuda {

/// Of both channels of a lane.
struct ScalePair {
  float scale[2];
  uint32_t raised_zero[2];
};

template <int kBits, bool kZeros>
__device__ inline ScalePair read_scales(const CodesArgs& args, int64_t block, int64_t k, int lane) {
  const int64_t at = scale_at(block, k / args.group, args.groups, channel_of_sum(lane, 0));
  const uint32_t both = __ldg(reinterpret_cast<const uint32_t*>(args.scales + at));
  ScalePair pair{{value_of_half(static_cast<uint16_t>(both)),
                  value_of_half(static_cast<uint16_t>(both >> 16))},
                 {}};
  if (kZeros) {
    const uint32_t zeros = __ldg(reinterpret_cast<const uint16_t*>(args.zeros + at));
    pair.raised_zero[0] = raised_zero(static_cast<int>(zeros & 0xFF));
    pair.raised_zero[1] = raised_zero(static_cast<int>(zeros >> 8));
  } else {
    pair.raised_zero[0] = pair.raised_zero[1] = raised_zero(1 << (kBits - 1));
  }
  return pair;
}

/// A lane's words of a line, in registers.
template <int kBits>
struct LaneWords {
  uint32_t at[kVectorsOf<kBits> * kWordsOfVector];

  __device__ void set(int vector, uint4 words) {
    at[vector * kWordsOfVector] = words.x;
    at[vector * kWordsOfVector + 1] = words.y;
    at[vector * kWordsOfVector + 2] = words.z;
    at[vector * kWordsOfVector + 3] = words.w;
  }
};

/// The registers of W for one tile.
template <int kBits>
__device__ inline void decode_tile(const LaneWords<kBits>& words, int tile, const ScalePair& pair,
                                   uint32_t (&weights)[4]) {
#pragma unroll
  for (int reg = 0; reg < 4; ++reg) {
    weights[reg] = subtract_halves(raised_codes<kBits>(words.at[word_of<kBits>(tile, reg)], reg),
                                   pair.raised_zero[reg % 2]);
  }
}

/// total += scale * part, and part begins anew.
template <int kTiles>
__device__ inline void close_span(const ScalePair& pair, float (&part)[kTiles][4],
                                  float (&total)[kTiles][4]) {
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int sum = 0; sum < 4; ++sum) {
      total[tile][sum] = fmaf(part[tile][sum], pair.scale[sum / 2], total[tile][sum]);
      part[tile][sum] = 0;
    }
  }
}

/// Adds a line's products to the totals of kRowTiles x 8 rows. kSpan: k with one scale, 32 or 64.
/// `input(row_tile, half)`: the lane's chunk of x.
template <int kBits, int kSpan, bool kZeros, int kRowTiles, typename Input>
__device__ inline void add_line(const CodesArgs& args, int64_t block, int64_t line, int lane,
                                const LaneWords<kBits>& words, const Input& input,
                                float (&total)[kRowTiles][4]) {
  float part[kRowTiles][4] = {};
  ScalePair pair = read_scales<kBits, kZeros>(args, block, line * kLine, lane);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (kSpan == kHalfLine && half == 1)
      pair = read_scales<kBits, kZeros>(args, block, line * kLine + kHalfLine, lane);
    uint32_t weights[kTilesOfHalf][4];
#pragma unroll
    for (int tile = 0; tile < kTilesOfHalf; ++tile)
      decode_tile<kBits>(words, half * kTilesOfHalf + tile, pair, weights[tile]);
#pragma unroll
    for (int row_tile = 0; row_tile < kRowTiles; ++row_tile) {
      const uint4 x = input(row_tile, half);
      multiply_tile(part[row_tile], weights[0], x.x, x.y);
      multiply_tile(part[row_tile], weights[1], x.z, x.w);
    }
    if (kSpan == kHalfLine || half == 1) close_span(pair, part, total);
  }
}

/// Calls launch<kBits, kSpan, kZeros>() of a struct with the template arguments that fit.
template <typename Launch>
auto with_format(int bits, const CodesArgs& args, const Launch& launch) {
  const bool halves = args.group == kHalfLine;
  const bool zeros = args.zeros != nullptr;
  if (bits == 4) {
    if (halves)
      return zeros ? launch.template go<4, 32, true>() : launch.template go<4, 32, false>();
    return zeros ? launch.template go<4, 64, true>() : launch.template go<4, 64, false>();
  }
  if (halves) return zeros ? launch.template go<8, 32, true>() : launch.template go<8, 32, false>();
  return zeros ? launch.template go<8, 64, true>() : launch.template go<8, 64, false>();
}

}  // namespace qassay::cuda
