// Products of many rows on AMX: activations rounded to BF16 with weights in BF16, or with 8-bit and
// 4-bit ones, whose codes less their zero are integers of at most 8 bits, which BF16 holds.
//
// BF16 weights: packed lines are the tiles of weights where they lie. Codes: those of a chunk are
// unpacked to pairs of BF16, for all rows; scales, one a channel or a group, are multiplied in FP32
// after the sum, so that no weight is rounded.
//
// Contract "approximate": a tile adds pairs of products in order of k, in FP32.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

#include "kernels/x86/groups_amx.h"

namespace qassay::own {
namespace {

struct WidePairs {
  static constexpr int64_t kWord = 2;

  static int64_t words(const LinearArgs&) { return kTileWords; }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t) {
    return {lines_of(args, block) + step * kLine, args.block_bytes};
  }
  static Lines rest(const LinearArgs& args, Lines lines, int64_t blocks, int64_t steps) {
    return copied_rest(args, lines, blocks, steps);
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call) {
    WholeTiles<PairsOfBf16, kTall, kBlocks>::run(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }
};

/// The upper halves of both, side by side: all of them where they are integers of up to 8 bits.
QASSAY_INLINE Ints pair_of(Ints first, Ints second) {
  const Ints low = _mm512_srli_epi32(_mm512_castps_si512(to_floats(first)), 16);
  const Ints high = _mm512_castps_si512(to_floats(second));
  return _mm512_mask_blend_epi16(0xAAAAAAAAU, low, high);
}

/// Packed lines of codes as lines of pairs, `steps` of these.
template <typename Code>
QASSAY_INLINE void unpack_pairs(const unsigned char* line, int64_t steps, Ints zeros,
                                unsigned char* out) {
  const Ints byte = all(int32_t{0xFF});
  for (int64_t s = 0; s < steps; s += 2 * Code::kSteps) {
    Ints codes[Code::kSteps];
    Code::decode(line, codes);
#pragma GCC unroll 2
    for (int i = 0; i < Code::kSteps; ++i) {
      const Ints k0 = _mm512_and_si512(codes[i], byte);
      const Ints k1 = _mm512_and_si512(_mm512_srli_epi32(codes[i], 8), byte);
      const Ints k2 = _mm512_and_si512(_mm512_srli_epi32(codes[i], 16), byte);
      const Ints k3 = _mm512_srli_epi32(codes[i], 24);
      store(out, pair_of(subtract(k0, zeros), subtract(k1, zeros)));
      store(out + kLine, pair_of(subtract(k2, zeros), subtract(k3, zeros)));
      out += 2 * kLine;
    }
    line += kLine;
  }
}
/// Zeros behind so many lines up to a whole tile: what is there may be no number.
QASSAY_INLINE void fill_tile(int64_t steps, unsigned char* lines) {
  for (int64_t s = steps; s % kTileWords != 0; ++s) store(lines + s * kLine, no_ints());
}

template <typename Code>
QASSAY_INLINE Ints zeros_of(const LinearArgs& args, int64_t block, int64_t group) {
  constexpr int32_t kZero = Code::kSteps == 1 ? kZeroU8 : kZeroU4;
  return args.zero_lines > 0 ? group_zeros(args, block, group) : all(kZero);
}

/// Bytes from a block's lines to the next one's.
QASSAY_INLINE int64_t panel_stride(int64_t steps) {
  return spread_lines(divide_up(steps, kTileWords) * kTileWords) * kLine;
}

/// One scale a channel.
template <typename Code>
struct WidePairChannels {
  static constexpr int64_t kWord = 2;
  static constexpr int64_t kLineSteps = 2 * Code::kSteps;

  static int64_t words(const LinearArgs&) { return kTileWords; }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t stride = panel_stride(steps);
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* const out = args.panel + b * stride;
      unpack_pairs<Code>(lines_of(args, block + b) + step / kLineSteps * kLine, steps,
                         zeros_of<Code>(args, block + b, 0), out);
      fill_tile(steps, out);
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  static Lines rest(const LinearArgs&, Lines lines, int64_t, int64_t steps) {
    return rest_of_panel(lines, steps);
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call) {
    WholeTiles<PairsOfBf16, kTall, kBlocks>::run(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }
};

/// One scale a group.
template <typename Code>
struct WidePairGroups : GroupsInTurn<PairsOfBf16, 2> {
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    const int64_t stride = panel_stride(steps);
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* const out = args.panel + b * stride;
      int64_t at = b * kBlock;
      for (int64_t begin = step; begin < step + steps; begin += group_steps, at += kPanel) {
        const int64_t group = begin / group_steps;
        const unsigned char* pair = pair_at(args, block + b, group, Code::kPerLine);
        store(args.panel_scales + at, pair_scales(pair, group));
        unpack_pairs<Code>(group_lines(args, pair, group, Code::kPerLine),
                           smaller(group_steps, step + steps - begin),
                           zeros_of<Code>(args, block + b, group), out + (begin - step) * kLine);
      }
      fill_tile(steps, out);
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  static Lines rest(const LinearArgs&, Lines lines, int64_t, int64_t) { return lines; }

  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs& args, const WideCall& call) {
    for (int t = 0; t < kTall; ++t) {
      for (int b = 0; b < kBlocks; ++b) {
        if (call.rows[t].count <= kTileHeight / 2) {
          groups<kTileHeight / 2>(args, blocks_of(call, b), t);
        } else {
          groups<kTileHeight>(args, blocks_of(call, b), t);
        }
      }
    }
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }

 private:
  template <int kRows>
  static void groups(const LinearArgs& args, const WideCall& call, int tile) {
    const RowsOfTile& rows = call.rows[tile];
    float* const partial = call.partial + tile * kTileHeight * kPanel;
    const int64_t count = divide_up(call.steps, args.group / kWord);
    Floats totals[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
      totals[r] = call.first ? no_floats() : load_floats(partial + r * kPanel);
    // Of rows that are not there nothing is written, and what comes of them is not used.
    alignas(kLine) float sums[kUnderWay + 1][kTileHeight * kBlock];
    for (int64_t g = 0; g < smaller(kUnderWay, count); ++g)
      begin_group(args, call, rows, g, sums[g]);
    for (int64_t g = 0; g < count; ++g) {
      const int64_t ahead = g + kUnderWay;
      if (ahead < count) begin_group(args, call, rows, ahead, sums[ahead % (kUnderWay + 1)]);
      const float* const done = sums[g % (kUnderWay + 1)];
      const Floats scale = load_floats(call.scales + g * kPanel);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r)
        totals[r] = fma(load_floats(done + r * kBlock), scale, totals[r]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) store(partial + r * kPanel, totals[r]);
  }
};

}  // namespace

namespace amx {

void linear_bf16_bf16(const LinearArgs& args) { run_wide<WidePairs>(args); }
void linear_u8(const LinearArgs& args) { run_wide<WidePairChannels<U8>>(args); }
void linear_u8_groups(const LinearArgs& args) { run_wide<WidePairGroups<U8>>(args); }
void linear_u4(const LinearArgs& args) { run_wide<WidePairChannels<U4>>(args); }
void linear_u4_groups(const LinearArgs& args) { run_wide<WidePairGroups<U4>>(args); }

}  // namespace amx
}  // namespace qassay::own
