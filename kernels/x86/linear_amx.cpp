// Products of many rows on AMX: int8 activations with 8-bit and 4-bit weights.
//
// One scale a channel: packed lines of 8 bits are the tiles of weights where they lie; those of 4
// bits are unpacked once a chunk, for all rows. Two tiles of rows by two blocks are summed at a
// time over a chunk of k, in 4 tiles, with as many loads of tiles as products.
//
// Groups: a chunk's codes are unpacked as signed bytes without their zero (the zero of 8 bits with
// zero points of their own does not fit into the byte and is paid for after the sum).
//
// Contract as that of the kernels for few rows: "bit_exact", by the argument of integer.h.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

#include "kernels/x86/groups_amx.h"

namespace qassay::own {
namespace {

/// Tells the formats of integer.h what the codes are; the products are AMX's.
template <typename CodeOfWeights>
struct Codes {
  using Code = CodeOfWeights;
};

template <typename Code>
struct WideChannels {
  using Packed = ChannelFormat<Codes<Code>>;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kTogether = kTileWords;
  static constexpr int64_t kLineSteps = Code::kSteps;

  static int64_t words(const LinearArgs&) { return kTileWords; }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    return Packed::panel(args, block, blocks, step, steps);
  }
  static Lines rest(const LinearArgs& args, Lines lines, int64_t blocks, int64_t steps) {
    return kLineSteps == 1 ? copied_rest(args, lines, blocks, steps) : rest_of_panel(lines, steps);
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call, int64_t block) {
    whole_tiles<UnsignedBytes, kTall, kBlocks>(call, block);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    const int32_t correction = args.corrections[row];
    Ints sum = load_ints(partial);
    sum = args.zero_lines > 0 ? without_zeros(sum, group_zeros(args, block, 0), correction)
                              : add(sum, all(correction));
    finish_row(args, row, block, fma(to_floats(sum), channel_scales(args, block), no_floats()));
  }
};

/// The zeros of a group's codes, as many bytes of each channel.
template <typename Code>
QASSAY_INLINE Ints zero_bytes(const LinearArgs& args, int64_t block, int64_t group) {
  constexpr int kZero = Code::kSteps == 1 ? kZeroU8 : kZeroU4;
  if (Code::kSteps == 1 || args.zero_lines == 0) return _mm512_set1_epi8(static_cast<char>(kZero));
  return multiply(group_zeros(args, block, group), all(int32_t{0x01010101}));
}

/// What becomes of the exact sums of groups. kBlocked: x has a scale a group too; kZeros: the zeros
/// are paid for here.
template <bool kBlocked, bool kZeros>
struct CodeSums {
  static constexpr int64_t kWord = 4;
  struct Group {
    Floats scale;
    Ints zero;
  };
  int64_t groups;
  const float* x_scales;
  const int32_t* corrections;

  QASSAY_INLINE static CodeSums of(const LinearArgs& args) {
    return {divide_up(args.k, args.group), args.group_scales, args.corrections};
  }
  QASSAY_INLINE static Group group(const WideCall& call, int64_t at) {
    return {load_floats(call.scales + at), kZeros ? load_ints(call.zeros + at) : no_ints()};
  }
  QASSAY_INLINE Floats add(const Group& group, int64_t at, const Word* sums, Floats total) const {
    Ints sum = load_ints(sums);
    if (kZeros) sum = without_zeros(sum, group.zero, corrections[at]);
    const Floats scale = kBlocked ? own::multiply(group.scale, all(x_scales[at])) : group.scale;
    return fma(to_floats(sum), scale, total);
  }
};

template <typename Code>
struct WideGroups {
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kTogether = kTileWords;
  // Of 8 bits, less kZeroU8.
  static constexpr bool kZerosApart = Code::kSteps == 1;

  static int64_t words(const LinearArgs& args) { return words_at_once(args, kWord); }
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
        store(args.panel_scales + at, pair_scales(pair, group));
        if (kZerosApart && args.zero_lines > 0)
          store(args.panel_zeros + at,
                subtract(group_zeros(args, block + b, group), all(int32_t{kZeroU8})));
        const int64_t count = smaller(group_steps, step + steps - begin);
        unpack_signed(group_lines(args, pair, group, Code::kPerLine), count,
                      zero_bytes<Code>(args, block + b, group), out);
        out += count * kLine;
      }
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  static Lines rest(const LinearArgs&, Lines lines, int64_t, int64_t) { return lines; }

  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs& args, const WideCall& call, int64_t block) {
    const bool zeros = kZerosApart && args.zero_lines > 0;
    if (args.group_scales == nullptr) {
      zeros ? group_tiles<SignedBytes, kTall, kBlocks, CodeSums<false, true>>(args, call, block)
            : group_tiles<SignedBytes, kTall, kBlocks, CodeSums<false, false>>(args, call, block);
    } else {
      zeros ? group_tiles<SignedBytes, kTall, kBlocks, CodeSums<true, true>>(args, call, block)
            : group_tiles<SignedBytes, kTall, kBlocks, CodeSums<true, false>>(args, call, block);
    }
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_row(args, row, block, load_floats(partial));
  }

 private:
  QASSAY_INLINE static void unpack_signed(const unsigned char* line, int64_t steps, Ints zeros,
                                          unsigned char* out) {
    for (int64_t s = 0; s < steps; s += Code::kSteps) {
      Ints codes[Code::kSteps];
      Code::decode(line, codes);
#pragma GCC unroll 2
      for (int i = 0; i < Code::kSteps; ++i)
        store(out + i * kLine, _mm512_sub_epi8(codes[i], zeros));
      line += kLine;
      out += Code::kSteps * kLine;
    }
  }
};

}  // namespace

namespace amx {

void linear_a8_u8(const LinearArgs& args) { run_wide<WideChannels<U8>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_wide<WideGroups<U8>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_wide<WideChannels<U4>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_wide<WideGroups<U4>>(args); }

}  // namespace amx
}  // namespace qassay::own
