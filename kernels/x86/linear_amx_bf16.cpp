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

// What a packed line becomes: of each channel, pairs of codes less their zero.

struct PairsOfU8 {
  static constexpr int kPerLine = 4;
  static constexpr int kLines = 2;
  Floats zeros;  // and 2^23

  QASSAY_INLINE static PairsOfU8 of(const LinearArgs& args, int64_t block, int64_t group) {
    const Ints zeros =
        args.zero_lines > 0 ? group_zeros(args, block, group) : all(int32_t{kZeroU8});
    return {to_floats(add(zeros, all(int32_t{1 << 23})))};
  }
  QASSAY_INLINE void decode(const unsigned char* line, unsigned char* out) const {
    const Ints codes = load_ints(line);
    store(out, pair(codes, _mm512_srli_epi32(codes, 8)));
    store(out + kLine, pair(_mm512_srli_epi32(codes, 16), _mm512_srli_epi32(codes, 24)));
  }

 private:
  /// A byte put into the low bits of 2^23 is the float 2^23 + byte. Of the float that is left when
  /// the zero and 2^23 are taken away, the upper half is BF16 and the lower is zero.
  QASSAY_INLINE Ints bits(Ints codes) const {
    const Ints sum =  // (codes & byte) | exponent
        _mm512_ternarylogic_epi32(codes, all(int32_t{0xFF}), all(int32_t{0x4B000000}), 0xEA);
    return _mm512_castps_si512(subtract(_mm512_castsi512_ps(sum), zeros));
  }
  QASSAY_INLINE Ints pair(Ints even, Ints odd) const {
    return _mm512_or_si512(_mm512_srli_epi32(bits(even), 16), bits(odd));
  }
};

struct PairsOfU4 {
  static constexpr int kPerLine = 8;
  static constexpr int kLines = 4;
  Ints zeros;   // as many bytes of a channel
  Ints values;  // BF16 of 0 to 15 and -16 to -1, by the low 5 bits of those

  QASSAY_INLINE static PairsOfU4 of(const LinearArgs& args, int64_t block, int64_t group) {
    const Ints zeros =
        args.zero_lines > 0 ? group_zeros(args, block, group) : all(int32_t{kZeroU4});
    const Ints up = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return {own::multiply(zeros, all(int32_t{0x01010101})),
            _mm512_inserti64x4(_mm512_castsi256_si512(halves(up)),
                               halves(subtract(up, all(int32_t{16}))), 1)};
  }
  QASSAY_INLINE void decode(const unsigned char* line, unsigned char* out) const {
    const Ints nibbles = load_ints(line);
    decode_four(_mm512_sub_epi8(low_nibbles(nibbles), zeros), out);
    decode_four(_mm512_sub_epi8(high_nibbles(nibbles), zeros), out + 2 * kLine);
  }

 private:
  QASSAY_INLINE static __m256i halves(Ints integers) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(to_floats(integers)), 16));
  }
  /// Four bytes of each channel: the first two, the others.
  QASSAY_INLINE void decode_four(Ints bytes, unsigned char* out) const {
    const Ints first = _mm512_set4_epi32(0x0D0D0C0C, 0x09090808, 0x05050404, 0x01010000);
    const Ints other = _mm512_set4_epi32(0x0F0F0E0E, 0x0B0B0A0A, 0x07070606, 0x03030202);
    store(out, _mm512_permutexvar_epi16(_mm512_shuffle_epi8(bytes, first), values));
    store(out + kLine, _mm512_permutexvar_epi16(_mm512_shuffle_epi8(bytes, other), values));
  }
};

template <typename Pairs>
QASSAY_INLINE void unpack_pairs(const Pairs& pairs, const unsigned char* line, int64_t steps,
                                unsigned char* out) {
  for (int64_t s = 0; s < steps; s += Pairs::kLines) {
    pairs.decode(line, out);
    line += kLine;
    out += Pairs::kLines * kLine;
  }
}
QASSAY_INLINE int64_t whole_tiles_of(int64_t steps) {
  return divide_up(steps, kTileWords) * kTileWords;
}
/// The lines behind a block's last, to a whole tile: what lay there may be no number.
QASSAY_INLINE void fill_tile(unsigned char* lines, int64_t steps) {
  for (int64_t s = steps; s < whole_tiles_of(steps); ++s) store(lines + s * kLine, no_ints());
}

struct Bf16Tiles {
  static constexpr int64_t kWord = 2;
  static constexpr int64_t kTogether = kTileWords;
  static int64_t words(const LinearArgs& args) {
    return args.group == 0 ? kTileWords : words_at_once(args, kWord);
  }
  static Lines rest(const LinearArgs&, Lines lines, int64_t, int64_t steps) {
    return rest_of_panel(lines, steps);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, load_floats(partial));
  }
};

/// As they lie in memory.
struct Bf16Weights : Bf16Tiles {
  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t) {
    return {lines_of(args, block) + step * kLine, args.block_bytes};
  }
  static Lines rest(const LinearArgs& args, Lines lines, int64_t blocks, int64_t steps) {
    return copied_rest(args, lines, blocks, steps);
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call, int64_t block) {
    whole_tiles<PairsOfBf16, kTall, kBlocks>(call, block);
  }
};

template <typename Pairs>
struct Bf16Channels : Bf16Tiles {
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t stride = spread_lines(whole_tiles_of(steps)) * kLine;
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* const out = args.panel + b * stride;
      unpack_pairs(Pairs::of(args, block + b, 0),
                   lines_of(args, block + b) + step / Pairs::kLines * kLine, steps, out);
      fill_tile(out, steps);
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs&, const WideCall& call, int64_t block) {
    whole_tiles<PairsOfBf16, kTall, kBlocks>(call, block);
  }
};

struct FloatSumsOfGroups {
  static constexpr int64_t kWord = 2;
  using Group = Floats;
  int64_t groups;

  QASSAY_INLINE static FloatSumsOfGroups of(const LinearArgs& args) {
    return {divide_up(args.k, args.group)};
  }
  QASSAY_INLINE static Group group(const WideCall& call, int64_t at) {
    return load_floats(call.scales + at);
  }
  QASSAY_INLINE Floats add(Group scale, int64_t, const Word* sums, Floats total) const {
    return fma(load_floats(sums), scale, total);
  }
};

template <typename Pairs>
struct Bf16Groups : Bf16Tiles {
  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    const int64_t stride = spread_lines(whole_tiles_of(steps)) * kLine;
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* const out = args.panel + b * stride;
      float* scales = args.panel_scales + b * kBlock;
      for (int64_t begin = step; begin < step + steps; begin += group_steps, scales += kPanel) {
        const int64_t group = begin / group_steps;
        const unsigned char* pair = pair_at(args, block + b, group, Pairs::kPerLine);
        store(scales, pair_scales(pair, group));
        unpack_pairs(Pairs::of(args, block + b, group),
                     group_lines(args, pair, group, Pairs::kPerLine),
                     smaller(group_steps, step + steps - begin), out + (begin - step) * kLine);
      }
      fill_tile(out, steps);
    }
    return {args.panel, static_cast<size_t>(stride)};
  }
  template <int kTall, int kBlocks>
  static void multiply(const LinearArgs& args, const WideCall& call, int64_t block) {
    group_tiles<PairsOfBf16, kTall, kBlocks, FloatSumsOfGroups>(args, call, block);
  }
};

}  // namespace

namespace amx {

void linear_bf16_bf16(const LinearArgs& args) { run_wide<Bf16Weights>(args); }
void linear_u8(const LinearArgs& args) { run_wide<Bf16Channels<PairsOfU8>>(args); }
void linear_u8_groups(const LinearArgs& args) { run_wide<Bf16Groups<PairsOfU8>>(args); }
void linear_u4(const LinearArgs& args) { run_wide<Bf16Channels<PairsOfU4>>(args); }
void linear_u4_groups(const LinearArgs& args) { run_wide<Bf16Groups<PairsOfU4>>(args); }

}  // namespace amx
}  // namespace qassay::own
