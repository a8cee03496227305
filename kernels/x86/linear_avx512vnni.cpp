// Int8 activations with 8-bit and 4-bit weights, products summed exactly by vpdpbusd.
//
// The instruction multiplies unsigned bytes (the codes of the weights, as they are stored) by
// signed ones (the codes of x) and adds four products to an int32 without saturating. The zero of
// the unsigned codes is paid for at the start: each sum begins at -zero * sum of the codes of x.
// Zero points of their own, one a channel or group, are paid for at the end of a sum.
// Up to 6 rows (8 bits a channel: 1) decode the weights in registers, in one pass over memory; for
// more, 4-bit weights and those in groups are unpacked into a panel of bytes that all tiles read.
//
// Contract "bit_exact": sums wrap on their way but not at the end (longer ones than
// longest_sum.hpp's are refused), so their order is free; the floating operations are the
// reference's, one by one.

#include "kernels/x86/functions.h"
#include "kernels/x86/tile.h"

namespace qassay::own {
namespace {

// g++ 12 copies the accumulator of the intrinsic around at every step; the instruction does not.
QASSAY_INLINE void add_products(__m512i& sum, __m512i codes, __m512i x) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(codes), "v"(x));
}

struct IntegerDot {
  using Sum = __m512i;
  QASSAY_INLINE static Sum start(const TileCall& call, int row) {
    return _mm512_set1_epi32(call.zeros == nullptr ? call.corrections[row * call.groups] : 0);
  }
  QASSAY_INLINE static Sum load(const float* partial) { return _mm512_loadu_si512(partial); }
  QASSAY_INLINE static void save(float* partial, Sum sum) { _mm512_storeu_si512(partial, sum); }
  QASSAY_INLINE static void add(Sum& sum, __m512i weights, __m512i x) {
    add_products(sum, weights, x);
  }
};

// A line's bytes as the products take them. The streams spare what they can: decode_scaled() leaves
// the bytes of a step as multiples of the codes, which whole() makes good in the sums of the steps.
struct U8 {
  static constexpr int64_t kPerLine = 4;
  static constexpr int kSteps = 1;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512i* out) {
    out[0] = load_line(line);
  }
  QASSAY_INLINE static void decode_scaled(const unsigned char* line, __m512i* out) {
    decode(line, out);
  }
  QASSAY_INLINE static __m512i whole(const __m512i* by_step) { return by_step[0]; }
};

struct U4 {
  static constexpr int64_t kPerLine = 8;
  static constexpr int kSteps = 2;  // low nibbles, then high ones
  QASSAY_INLINE static void decode(const unsigned char* line, __m512i* out) {
    const __m512i nibbles = load_line(line);
    const __m512i low = _mm512_set1_epi8(15);
    out[0] = _mm512_and_si512(nibbles, low);
    out[1] = _mm512_and_si512(_mm512_srli_epi16(nibbles, 4), low);
  }
  // 16 * 15 * 127 * half of the longest sum still fit in an int32, so that the shift is exact.
  QASSAY_INLINE static void decode_scaled(const unsigned char* line, __m512i* out) {
    const __m512i nibbles = load_line(line);
    const __m512i low = _mm512_set1_epi8(15);
    out[0] = _mm512_and_si512(nibbles, low);
    out[1] = _mm512_andnot_si512(low, nibbles);
  }
  QASSAY_INLINE static __m512i whole(const __m512i* by_step) {
    return _mm512_add_epi32(by_step[0], _mm512_srai_epi32(by_step[1], 4));
  }
};

/// `correction`: -sum of the codes of x.
QASSAY_INLINE __m512i without_zeros(__m512i sum, __m512i zeros, int32_t correction) {
  return _mm512_add_epi32(sum, _mm512_mullo_epi32(zeros, _mm512_set1_epi32(correction)));
}

/// What the reference does with the exact sums of a group: totals = fma(float(sum), scale, totals),
/// where x has one scale a group (`x_scales`, `groups` from row to row; else null) times that.
template <int kRows, int kBlocks>
QASSAY_INLINE void add_group(const __m512i (&sums)[kRows][kBlocks], const __m512 (&scales)[kBlocks],
                             const float* x_scales, int64_t groups,
                             __m512 (&totals)[kRows][kBlocks]) {
  if (x_scales == nullptr) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int b = 0; b < kBlocks; ++b)
        totals[r][b] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][b]), scales[b], totals[r][b]);
    }
    return;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    const __m512 x_scale = _mm512_set1_ps(x_scales[r * groups]);
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) {
      totals[r][b] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][b]),
                                     _mm512_mul_ps(scales[b], x_scale), totals[r][b]);
    }
  }
}

QASSAY_INLINE void finish_row(const LinearArgs& args, int64_t row, int64_t block, __m512 total) {
  const __m512 bias = bias_of(args, block);
  store(args, row, block,
        args.group_scales != nullptr
            ? _mm512_add_ps(total, bias)
            : _mm512_fmadd_ps(total, _mm512_set1_ps(args.row_scales[row]), bias));
}

/// sums[row][chain] += the products of `lines` lines, each decoded once; moves both pointers on.
template <typename Code, int kRows, int kChains>
QASSAY_INLINE void add_lines(__m512i (&sums)[kRows][kChains], int64_t lines,
                             const unsigned char*& line, const Word*& x) {
  constexpr int kLines = kChains / Code::kSteps;  // until every chain has had its turn
#pragma GCC unroll 4
  for (; lines >= kLines; lines -= kLines) {
#pragma GCC unroll 4
    for (int l = 0; l < kLines; ++l) {
      _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
      __m512i codes[Code::kSteps];
      Code::decode_scaled(line + l * kLine, codes);
#pragma GCC unroll 2
      for (int s = 0; s < Code::kSteps; ++s) {
        const int chain = l * Code::kSteps + s;
#pragma GCC unroll 6
        for (int r = 0; r < kRows; ++r)
          add_products(sums[r][chain], codes[s], _mm512_set1_epi32(x[chain * kRows + r]));
      }
    }
    line += kLines * kLine;
    x += kChains * kRows;
  }
  for (; lines > 0; --lines) {
    __m512i codes[Code::kSteps];
    Code::decode_scaled(line, codes);
#pragma GCC unroll 2
    for (int s = 0; s < Code::kSteps; ++s) {
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r)
        add_products(sums[r][s], codes[s], _mm512_set1_epi32(x[s * kRows + r]));
    }
    line += kLine;
    x += Code::kSteps * kRows;
  }
}

/// The product for kRows rows in one pass over the packed memory. A row has kChains sums, so that
/// no product waits for the one before. kGroups: a scale a group, else a channel; kBlocked: x has
/// one a group too. kSpan: lines of every group where that is known, else 0: the loop over them is
/// gone then, and the groups, that do not wait for each other, run side by side.
template <typename Code, int kRows, bool kGroups, bool kZeros, bool kBlocked, int kSpan = 0>
void stream_rows(const LinearArgs& args) {
  constexpr int kChains = kRows <= 2 && kSpan == 0 ? 4 : 2;
  const int64_t all_lines = args.k / Code::kPerLine;
  const int64_t span_lines = kSpan > 0 ? kSpan : kGroups ? args.group / Code::kPerLine : all_lines;
  const int64_t groups = kGroups ? (all_lines + span_lines - 1) / span_lines : 1;
  for (int64_t block = args.begin_block; block < args.end_block; ++block) {
    __m512 totals[kRows][1];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) totals[r][0] = _mm512_setzero_ps();
    const unsigned char* line = lines_of(args, block);
    const unsigned char* zeros = zeros_of(args, block);
    __m512 pair_of_scales[2] = {};
    const Word* x = args.x;
    for (int64_t group = 0; group < groups; ++group) {
      if (kGroups && group % 2 == 0) {
        _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
        pair_of_scales[0] = pair_scales(line, 0);
        pair_of_scales[1] = pair_scales(line, 1);
        line += kLine;
      }
      const int32_t* const corrections = args.corrections + group;
      __m512i sums[kRows][kChains];
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        sums[r][0] = kZeros ? _mm512_setzero_si512() : _mm512_set1_epi32(corrections[r * groups]);
#pragma GCC unroll 4
        for (int c = 1; c < kChains; ++c) sums[r][c] = _mm512_setzero_si512();
      }
      add_lines<Code>(sums, kSpan > 0 ? kSpan : smaller(span_lines, all_lines - group * span_lines),
                      line, x);
      __m512i whole[kRows][1];
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int c = Code::kSteps; c < kChains; ++c)
          sums[r][c % Code::kSteps] = _mm512_add_epi32(sums[r][c % Code::kSteps], sums[r][c]);
        whole[r][0] = Code::whole(sums[r]);
        if (kZeros) {
          whole[r][0] = without_zeros(
              whole[r][0],
              _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(zeros))),
              corrections[r * groups]);
        }
      }
      zeros += kBlock;
      const __m512 scales[1] = {kGroups ? pair_of_scales[0] : channel_scales(args, block)};
      pair_of_scales[0] = pair_of_scales[1];
      add_group(whole, scales, kBlocked ? args.group_scales + group : nullptr, groups, totals);
    }
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) finish_row(args, r, block, totals[r][0]);
  }
}

template <typename Code, bool kGroups, bool kZeros, bool kBlocked>
void stream_few_rows(const LinearArgs& args) {
  switch (args.m) {
    case 1:
      if constexpr (kGroups) {
        if (args.group == 32 && args.k % 32 == 0)
          return stream_rows<Code, 1, true, kZeros, kBlocked, 32 / Code::kPerLine>(args);
      }
      return stream_rows<Code, 1, kGroups, kZeros, kBlocked>(args);
    case 2:
      return stream_rows<Code, 2, kGroups, kZeros, kBlocked>(args);
    case 3:
      return stream_rows<Code, 3, kGroups, kZeros, kBlocked>(args);
    case 4:
      return stream_rows<Code, 4, kGroups, kZeros, kBlocked>(args);
    case 5:
      return stream_rows<Code, 5, kGroups, kZeros, kBlocked>(args);
    default:
      return stream_rows<Code, 6, kGroups, kZeros, kBlocked>(args);
  }
}

template <typename Code, bool kGroups, bool kBlocked>
void stream_few_rows(const LinearArgs& args) {
  args.zero_lines > 0 ? stream_few_rows<Code, kGroups, true, kBlocked>(args)
                      : stream_few_rows<Code, kGroups, false, kBlocked>(args);
}

/// Unpacks lines into the tile's, one a step.
template <typename Code>
QASSAY_INLINE void unpack(const unsigned char* line, int64_t steps, unsigned char* out) {
  for (int64_t s = 0; s < steps; s += Code::kSteps) {
    __m512i codes[Code::kSteps];
    Code::decode(line, codes);
#pragma GCC unroll 2
    for (int i = 0; i < Code::kSteps; ++i) _mm512_storeu_si512(out + i * kLine, codes[i]);
    line += kLine;
    out += Code::kSteps * kLine;
  }
}

/// One scale a channel: sums run over the whole of k.
template <typename Code>
struct ChannelFormat {
  using Dot = IntegerDot;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = Code::kSteps;
  static constexpr int64_t kStreamRows = kLineSteps == 1 ? 1 : kTileRows;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step / kLineSteps * kLine;
  }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    if constexpr (kLineSteps == 1) return {source(args, block, step), args.block_bytes};
    const int64_t stride = spread_lines(steps) * kLine;
    for (int64_t b = 0; b < blocks; ++b)
      unpack<Code>(source(args, block + b, step), steps, args.panel + b * stride);
    return {args.panel, static_cast<size_t>(stride)};
  }
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<IntegerDot, kRows, kBlocks>(call);
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    __m512i sum = _mm512_loadu_si512(partial);
    if (args.zero_lines > 0)
      sum = without_zeros(sum, group_zeros(args, block, 0), args.corrections[row]);
    finish_row(
        args, row, block,
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), channel_scales(args, block), _mm512_setzero_ps()));
  }
  static void stream(const LinearArgs& args) { stream_few_rows<Code, false, false>(args); }
};

/// The tile of formats with a scale a group: exact sums in each, then total = fma(float(sum),
/// scale, total) in their order. The 64 channels are taken by kAtOnce blocks, so that the sums and
/// the totals both stay in registers.
template <int kRows, int kAtOnce>
QASSAY_INLINE void group_sums(const TileCall& call, int block) {
  float* const partial = call.partial + block * kBlock;
  __m512 totals[kRows][kAtOnce];
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b) {
      totals[r][b] =
          call.first ? _mm512_setzero_ps() : _mm512_loadu_ps(partial + r * kPanel + b * kBlock);
    }
  }
  Walk walk = begin_walk(call);
  walk.lines += static_cast<size_t>(block) * call.lines.block_stride;
  walk.ahead.at += static_cast<size_t>(block) * call.ahead.block_stride;
  const float* scales = call.scales + block * kBlock;
  const int32_t* zeros = call.zeros == nullptr ? nullptr : call.zeros + block * kBlock;
  int64_t group = call.first_group;
  for (int64_t step = 0; step < call.steps; step += call.group, ++group) {
    __m512i sums[kRows][kAtOnce];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const int32_t correction = call.corrections[r * call.groups + group];
#pragma GCC unroll 4
      for (int b = 0; b < kAtOnce; ++b)
        sums[r][b] = _mm512_set1_epi32(zeros == nullptr ? correction : 0);
    }
    add_steps<IntegerDot>(sums, walk, smaller(call.group, call.steps - step), call);
    if (zeros != nullptr) {
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int b = 0; b < kAtOnce; ++b) {
          sums[r][b] = without_zeros(sums[r][b], _mm512_loadu_si512(zeros + b * kBlock),
                                     call.corrections[r * call.groups + group]);
        }
      }
    }
    __m512 scale[kAtOnce];
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b) scale[b] = _mm512_loadu_ps(scales + b * kBlock);
    add_group(sums, scale, call.group_scales == nullptr ? nullptr : call.group_scales + group,
              call.groups, totals);
    scales += kPanel;
    if (zeros != nullptr) zeros += kPanel;
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int b = 0; b < kAtOnce; ++b)
      _mm512_storeu_ps(partial + r * kPanel + b * kBlock, totals[r][b]);
  }
}

/// Groups along k with an FP16 scale each.
template <typename Code>
struct GroupFormat {
  using Dot = IntegerDot;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = Code::kSteps;
  static constexpr int64_t kStreamRows = kTileRows;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step * kWord / args.group, Code::kPerLine);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    const int64_t stride = spread_lines(steps) * kLine;
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* out = args.panel + b * stride;
      int64_t at = b * kBlock;
      for (int64_t begin = step; begin < step + steps; begin += group_steps, at += kPanel) {
        const int64_t group = begin / group_steps;
        const unsigned char* pair = pair_at(args, block + b, group, Code::kPerLine);
        _mm512_storeu_ps(args.panel_scales + at, pair_scales(pair, group));
        if (args.zero_lines > 0)
          _mm512_storeu_si512(args.panel_zeros + at, group_zeros(args, block + b, group));
        const int64_t count = smaller(group_steps, step + steps - begin);
        unpack<Code>(group_lines(args, pair, group, Code::kPerLine), count, out);
        out += count * kLine;
      }
    }
    return {args.panel, static_cast<size_t>(stride)};
  }

  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    if constexpr (kRows <= 3) {
      group_sums<kRows, kBlocks>(call, 0);
    } else {
      for (int block = 0; block + 2 <= kBlocks; block += 2) group_sums<kRows, 2>(call, block);
      if constexpr (kBlocks % 2 == 1) group_sums<kRows, 1>(call, kBlocks - 1);
    }
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_row(args, row, block, _mm512_loadu_ps(partial));
  }
  static void stream(const LinearArgs& args) {
    args.group_scales == nullptr ? stream_few_rows<Code, true, false>(args)
                                 : stream_few_rows<Code, true, true>(args);
  }
};

}  // namespace

void linear_a8_u8(const LinearArgs& args) { run_linear<ChannelFormat<U8>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_linear<GroupFormat<U8>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_linear<ChannelFormat<U4>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_linear<GroupFormat<U4>>(args); }

}  // namespace qassay::own
