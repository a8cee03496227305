// FP32 activations with FP32, FP16, BF16, 8-bit and 4-bit weights.
//
// One row of x: each packed line is decoded in registers, multiplied and forgotten: one pass over
// the weights at the speed of memory. More rows: a panel of weights is decoded once into FP32 lines
// in the cache, and the same 6 x 64 tile of FP32 runs over it for every format.
//
// Contract "reordered": FP32 sums of fused products, in 4 interleaved sums along k for one row and
// in order of k for more. Scales a channel are multiplied after the sum, those of groups after the
// group's for one row and into the weights for more.

#include "kernels/x86/functions.h"
#include "kernels/x86/tile.h"

namespace qassay::own {
namespace {

struct FloatDot : FloatSums {
  QASSAY_INLINE static void add(Sum& sum, __m512i weights, __m512i x) {
    // The intrinsic lets g++ 12 overwrite a factor instead of the sum, copy and spill.
    asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
  }
};

// How the k of one line become vectors of 16 channels.
struct F32 {
  static constexpr int kPerLine = 1;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512* out) {
    out[0] = _mm512_loadu_ps(line);
  }
};

struct F16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512* out) {
    const __m512i halves = load_line(line);
    out[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
    out[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
  }
};

// Pairs of k in a word: BF16 is the upper half of FP32.
struct Bf16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512* out) {
    const __m512i pairs = load_line(line);
    out[0] = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    out[1] = _mm512_castsi512_ps(
        _mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U))));
  }
};

// Four k in a word, as code - 128. A byte put into the low bits of 2^23 is the float 2^23 + byte.
struct U8 {
  static constexpr int kPerLine = 4;
  static constexpr int kZero = kZeroU8;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512* out) {
    const __m512i quads = load_line(line);
    const __m512i byte = _mm512_set1_epi32(0xFF);
    const __m512i exponent = _mm512_set1_epi32(0x4B000000);
    const __m512 offset = _mm512_set1_ps(8388608.0F + kZero);
    const __m512i shifted[4] = {quads, _mm512_srli_epi32(quads, 8), _mm512_srli_epi32(quads, 16),
                                _mm512_srli_epi32(quads, 24)};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      // (shifted & byte) | exponent
      const __m512i bits = _mm512_ternarylogic_epi32(shifted[i], byte, exponent, 0xEA);
      out[i] = _mm512_sub_ps(_mm512_castsi512_ps(bits), offset);
    }
  }
};

// Eight k in a word, as code - 8, looked up: vpermps takes the low 4 bits of each lane as its
// index. The low nibbles of the 4 bytes are k 0..3, the high ones 4..7.
struct U4 {
  static constexpr int kPerLine = 8;
  static constexpr int kZero = kZeroU4;
  QASSAY_INLINE static void decode(const unsigned char* line, __m512* out) {
    const __m512 values = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i nibbles = load_line(line);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const int shift = i < 4 ? 8 * i : 8 * (i - 4) + 4;
      out[i] = _mm512_permutexvar_ps(_mm512_srli_epi32(nibbles, static_cast<unsigned int>(shift)),
                                     values);
    }
  }
};

/// Codes with zero points of their own: what is to be taken from the decoded code - kZero.
template <typename Code>
QASSAY_INLINE __m512 offsets(const LinearArgs& args, int64_t block, int64_t group) {
  return _mm512_cvtepi32_ps(
      _mm512_sub_epi32(group_zeros(args, block, group), _mm512_set1_epi32(Code::kZero)));
}

/// Decoders with an offset, for the loops that know no more: none, or one for all of a group.
template <typename Code>
struct Plain {
  static constexpr int kPerLine = Code::kPerLine;
  QASSAY_INLINE static Plain of(const LinearArgs&, int64_t, int64_t) { return {}; }
  QASSAY_INLINE void decode(const unsigned char* line, __m512* out) const {
    Code::decode(line, out);
  }
};

template <typename Code>
struct WithZeros {
  static constexpr int kPerLine = Code::kPerLine;
  __m512 offset;
  QASSAY_INLINE static WithZeros of(const LinearArgs& args, int64_t block, int64_t group) {
    return {offsets<Code>(args, block, group)};
  }
  QASSAY_INLINE void decode(const unsigned char* line, __m512* out) const {
    Code::decode(line, out);
#pragma GCC unroll 8
    for (int i = 0; i < kPerLine; ++i) out[i] = _mm512_sub_ps(out[i], offset);
  }
};

/// sums[i % 4] += the products of `lines` lines; moves `line` behind them.
template <typename Decoder>
QASSAY_INLINE void add_lines(const Decoder& decoder, __m512 (&sums)[4], const unsigned char*& line,
                             int64_t lines, const float* x) {
  constexpr int kPer = Decoder::kPerLine;
  constexpr int kLines = kPer < 4 ? 4 / kPer : 1;  // until all four sums have had their turn
  for (; lines >= kLines; lines -= kLines) {
    _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
#pragma GCC unroll 4
    for (int l = 0; l < kLines; ++l) {
      if (l > 0) _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
      __m512 values[kPer];
      decoder.decode(line + l * kLine, values);
#pragma GCC unroll 8
      for (int i = 0; i < kPer; ++i) {
        __m512& sum = sums[(l * kPer + i) % 4];
        sum = _mm512_fmadd_ps(values[i], _mm512_set1_ps(x[l * kPer + i]), sum);
      }
    }
    line += kLines * kLine;
    x += kLines * kPer;
  }
  for (; lines > 0; --lines) {
    __m512 values[kPer];
    decoder.decode(line, values);
    for (int i = 0; i < kPer; ++i) {
      sums[i % 4] = _mm512_fmadd_ps(values[i], _mm512_set1_ps(x[i]), sums[i % 4]);
    }
    line += kLine;
    x += kPer;
  }
}

QASSAY_INLINE __m512 total(const __m512 (&sums)[4]) {
  return _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
}

struct FloatFormat {
  using Dot = FloatDot;
  static constexpr int64_t kWord = 1;
  static constexpr int64_t kStreamRows = 1;

  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<FloatDot, kRows, kBlocks>(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_float(args, row, block, _mm512_loadu_ps(partial));
  }
};

/// Weights with no scales, or one a channel.
template <typename Decoder>
struct ChannelFormat : FloatFormat {
  static constexpr int64_t kLineSteps = Decoder::kPerLine;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step / kLineSteps * kLine;
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    if constexpr (kLineSteps == 1) return {source(args, block, step), args.block_bytes};
    for (int64_t b = 0; b < blocks; ++b) {
      const Decoder decoder = Decoder::of(args, block + b, 0);
      const unsigned char* line = source(args, block + b, step);
      unsigned char* out = args.panel + b * spread_lines(steps) * kLine;
      for (int64_t s = 0; s < steps; s += kLineSteps) {
        __m512 values[kLineSteps];
        decoder.decode(line, values);
#pragma GCC unroll 8
        for (int i = 0; i < kLineSteps; ++i) _mm512_storeu_ps(out + i * kLine, values[i]);
        line += kLine;
        out += kLineSteps * kLine;
      }
    }
    return {args.panel, static_cast<size_t>(spread_lines(steps) * kLine)};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                        _mm512_setzero_ps()};
      const unsigned char* line = lines_of(args, block);
      add_lines(Decoder::of(args, block, 0), sums, line, args.k / kLineSteps, x);
      finish_float(args, 0, block, total(sums));
    }
  }
};

/// Integer weights in groups along k. A decoded weight is its value, rounded once, or exact: 4 bits
/// times the 11 of an FP16 scale.
template <typename Decoder>
struct GroupFormat : FloatFormat {
  static constexpr int64_t kLineSteps = Decoder::kPerLine;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step / args.group, kLineSteps);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* out = args.panel + b * spread_lines(steps) * kLine;
      for (int64_t begin = step; begin < step + steps; begin += args.group) {
        const int64_t group = begin / args.group;
        const Decoder decoder = Decoder::of(args, block + b, group);
        const unsigned char* pair = pair_at(args, block + b, group, kLineSteps);
        const __m512 scales = pair_scales(pair, group);
        const unsigned char* line = group_lines(args, pair, group, kLineSteps);
        const int64_t end = smaller(begin + args.group, step + steps);
        for (int64_t s = begin; s < end; s += kLineSteps) {
          __m512 values[kLineSteps];
          decoder.decode(line, values);
#pragma GCC unroll 8
          for (int i = 0; i < kLineSteps; ++i) {
            _mm512_storeu_ps(out + i * kLine, _mm512_mul_ps(values[i], scales));
          }
          line += kLine;
          out += kLineSteps * kLine;
        }
      }
    }
    return {args.panel, static_cast<size_t>(spread_lines(steps) * kLine)};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      __m512 sum = _mm512_setzero_ps();
      const unsigned char* line = lines_of(args, block);
      const unsigned char* pair = line;
      for (int64_t begin = 0, group = 0; begin < args.k; begin += args.group, ++group) {
        if (group % 2 == 0) {
          pair = line;
          _mm_prefetch(pair + kStreamAhead, _MM_HINT_T0);
          line += kLine;
        }
        __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                          _mm512_setzero_ps()};
        add_lines(Decoder::of(args, block, group), sums, line,
                  smaller(args.group, args.k - begin) / kLineSteps, x + begin);
        sum = _mm512_fmadd_ps(total(sums), pair_scales(pair, group), sum);
      }
      finish_float(args, 0, block, sum);
    }
  }
};

template <template <typename> typename Format, typename Code>
void run_integers(const LinearArgs& args) {
  if (args.zero_lines > 0) {
    run_linear<Format<WithZeros<Code>>>(args);
  } else {
    run_linear<Format<Plain<Code>>>(args);
  }
}

}  // namespace

void linear_f32(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F32>>>(args); }
void linear_f16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F16>>>(args); }
void linear_bf16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<Bf16>>>(args); }
void linear_u8(const LinearArgs& args) { run_integers<ChannelFormat, U8>(args); }
void linear_u8_groups(const LinearArgs& args) { run_integers<GroupFormat, U8>(args); }
void linear_u4(const LinearArgs& args) { run_integers<ChannelFormat, U4>(args); }
void linear_u4_groups(const LinearArgs& args) { run_integers<GroupFormat, U4>(args); }

float largest_magnitude(const float* x, int64_t k) {
  __m512i largest = _mm512_setzero_si512();
  for (int64_t i = 0; i < k; i += 16) {
    const int64_t left = k - i;
    const __mmask16 mask = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
    // Magnitudes order like their bit patterns, and NaN comes out on top.
    const __m512i magnitude = _mm512_and_si512(
        _mm512_castps_si512(_mm512_maskz_loadu_ps(mask, x + i)), _mm512_set1_epi32(0x7FFFFFFF));
    largest = _mm512_max_epi32(largest, magnitude);
  }
  const int bits = _mm512_reduce_max_epi32(largest);
  return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(bits)));
}

namespace {

QASSAY_INLINE __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
}

/// Codes of x[begin, end) into words, `to_steps` being x in steps of the grid. Returns -zero times
/// their sum. Wraps for long rows as the sums that it starts do; what comes out in the end fits.
template <typename ToSteps>
QASSAY_INLINE int32_t write_codes(const float* x, int64_t begin, int64_t end, ToSteps to_steps,
                                  int zero, Word* words, int64_t stride) {
  const __m512i limit = _mm512_set1_epi32(127);
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t left = end - i;
    const __m512 steps = to_steps(_mm512_maskz_loadu_ps(first_lanes(left), x + i));
    __m512i codes = _mm512_cvt_roundps_epi32(steps, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    codes = _mm512_min_epi32(codes, limit);
    codes = _mm512_max_epi32(codes, _mm512_sub_epi32(_mm512_setzero_si512(), limit));
    sum = _mm512_add_epi32(sum, codes);
    alignas(16) Word quads[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(quads), _mm512_cvtepi32_epi8(codes));
    const int64_t count = left >= 16 ? 4 : (left + 3) / 4;
    for (int64_t q = 0; q < count; ++q) words[(i / 4 + q) * stride] = quads[q];
  }
  return static_cast<int32_t>(static_cast<uint32_t>(-zero) *
                              static_cast<uint32_t>(_mm512_reduce_add_epi32(sum)));
}

}  // namespace

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections) {
  const __m512 divisor = _mm512_set1_ps(scale);
  const int64_t span = group == 0 ? k : group;
  for (int64_t begin = 0; begin < k; begin += span) {
    *corrections++ = write_codes(
        x, begin, smaller(begin + span, k),
        [divisor](__m512 values) { return _mm512_div_ps(values, divisor); }, zero, words, stride);
  }
}

void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                             int64_t stride, int32_t* corrections, float* scales) {
  for (int64_t begin = 0; begin < k; begin += group) {
    const int64_t end = smaller(begin + group, k);
    const float largest = largest_magnitude(x + begin, end - begin);
    *scales++ = largest / 127;
    const float exact = 127 / largest;
    const __m512 inverse = _mm512_set1_ps(exact <= 3.402823466e+38F ? exact : 0);
    *corrections++ = write_codes(
        x, begin, end, [inverse](__m512 values) { return _mm512_mul_ps(values, inverse); }, zero,
        words, stride);
  }
}

}  // namespace qassay::own
