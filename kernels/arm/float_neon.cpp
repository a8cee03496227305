// FP32 activations with FP32, FP16, BF16, 8-bit and 4-bit weights, with what every 64-bit ARM has.
//
// One row of x: each packed line is decoded in registers, multiplied and forgotten. More rows: a
// panel of weights is decoded once into FP32 lines in the cache, and the same 6 x 16 tile of FP32
// runs over it for every format.
//
// Contract "reordered": FP32 sums of fused products, in 2 interleaved sums along k for one row and
// in order of k for more. 8-bit codes are multiplied by their scale after the sum.

#include "kernels/arm/functions.h"
#include "kernels/arm/tile.h"

namespace qassay::own {
namespace {

struct FloatDot {
  using Sum = float32x4_t;
  QASSAY_INLINE static Sum start(const int32_t*) { return vdupq_n_f32(0); }
  QASSAY_INLINE static void add(Sum& sum, int32x4_t weights, int32x4_t x) {
    sum = vfmaq_f32(sum, vreinterpretq_f32_s32(weights), vreinterpretq_f32_s32(x));
  }
};

/// 4 signed bytes in each word: those of k = i as floats.
template <int kByte>
QASSAY_INLINE float32x4_t byte_of_words(int32x4_t words) {
  return vcvtq_f32_s32(vshrq_n_s32(vshlq_n_s32(words, 24 - 8 * kByte), 24));
}

// How vector v of a line becomes 4 channels of each k.
struct F32 {
  static constexpr int kPerLine = 1;
  QASSAY_INLINE static void decode(const unsigned char* line, int v, float32x4_t* out) {
    out[0] = load_floats(line + v * kVectorBytes);
  }
};

struct F16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static void decode(const unsigned char* line, int v, float32x4_t* out) {
    const unsigned char* halves = line + v * kVectorBytes / 2;
    out[0] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(halves)));
    out[1] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(halves + kLine / 2)));
  }
};

// Pairs of k in a word: BF16 is the upper half of FP32.
struct Bf16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static void decode(const unsigned char* line, int v, float32x4_t* out) {
    const int32x4_t pairs = load_words(line + v * kVectorBytes);
    out[0] = vreinterpretq_f32_s32(vshlq_n_s32(pairs, 16));
    out[1] = vreinterpretq_f32_s32(vandq_s32(pairs, vdupq_n_s32(-65536)));
  }
};

// Four k in a word, as code - 128.
struct S8 {
  static constexpr int kPerLine = 4;
  QASSAY_INLINE static void decode(const unsigned char* line, int v, float32x4_t* out) {
    const int32x4_t quads = load_words(line + v * kVectorBytes);
    out[0] = byte_of_words<0>(quads);
    out[1] = byte_of_words<1>(quads);
    out[2] = byte_of_words<2>(quads);
    out[3] = byte_of_words<3>(quads);
  }
};

// Eight k in a word, as code - 8. The low nibbles of the 4 bytes are k 0..3, the high ones 4..7.
struct U4 {
  static constexpr int kPerLine = 8;
  QASSAY_INLINE static void decode(const unsigned char* line, int v, float32x4_t* out) {
    const uint8x16_t both = vld1q_u8(line + v * kVectorBytes);
    const int8x16_t zero = vdupq_n_s8(kZeroU4);
    const int8x16_t low = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
    const int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
    const int32x4_t halves[2] = {vreinterpretq_s32_s8(vsubq_s8(low, zero)),
                                 vreinterpretq_s32_s8(vsubq_s8(high, zero))};
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      out[4 * h] = byte_of_words<0>(halves[h]);
      out[4 * h + 1] = byte_of_words<1>(halves[h]);
      out[4 * h + 2] = byte_of_words<2>(halves[h]);
      out[4 * h + 3] = byte_of_words<3>(halves[h]);
    }
  }
};

/// The sums of one row over a block: those of even and of odd k, or of lines where one is one k.
struct StreamSums {
  float32x4_t at[2][kVectors];

  QASSAY_INLINE StreamSums() {
    for (int v = 0; v < kVectors; ++v) at[0][v] = at[1][v] = vdupq_n_f32(0);
  }
  template <typename Code>
  QASSAY_INLINE void add_line(const unsigned char* line, const float* x, int first) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float32x4_t values[Code::kPerLine];
      Code::decode(line, v, values);
#pragma GCC unroll 8
      for (int i = 0; i < Code::kPerLine; ++i) {
        float32x4_t& sum = at[(first + i) % 2][v];
        sum = vfmaq_n_f32(sum, values[i], x[i]);
      }
    }
  }
  template <typename Code>
  QASSAY_INLINE void add_lines(const unsigned char* line, const float* x, int64_t lines) {
    for (; lines >= 2; lines -= 2, line += 2 * kLine, x += 2 * Code::kPerLine) {
      add_line<Code>(line, x, 0);
      add_line<Code>(line + kLine, x + Code::kPerLine, Code::kPerLine % 2);
    }
    if (lines > 0) add_line<Code>(line, x, 0);
  }
  QASSAY_INLINE float32x4_t total(int v) const { return vaddq_f32(at[0][v], at[1][v]); }
};

QASSAY_INLINE void finish_float(const LinearArgs& args, int64_t row, int64_t block, int v,
                                float32x4_t sum) {
  const float32x4_t bias = bias_of(args, block, v);
  store(args, row, block, v,
        args.has_channel_scales ? vfmaq_f32(bias, sum, channel_scales(args, block, v))
                                : vaddq_f32(bias, sum));
}

struct FloatFormat {
  static constexpr int kTileBlocks = 1;
  static constexpr int64_t kWord = 1;

  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<RowSums<FloatDot, kRows>, kRows>(call);
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    for (int v = 0; v < kVectors; ++v)
      finish_float(args, row, block, v, vld1q_f32(partial + 4 * v));
  }
};

/// Weights with no scales, or one a channel.
template <typename Code>
struct ChannelFormat : FloatFormat {
  static constexpr int64_t kLineSteps = Code::kPerLine;
  static constexpr int64_t kStreamRows = 1;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step / kLineSteps * kLine;
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t steps) {
    const unsigned char* line = source(args, block, step);
    if constexpr (kLineSteps == 1) return {line, args.block_bytes};
    unsigned char* out = args.panel;
    for (int64_t s = 0; s < steps; s += kLineSteps, line += kLine, out += kLineSteps * kLine) {
      for (int v = 0; v < kVectors; ++v) {
        float32x4_t values[Code::kPerLine];
        Code::decode(line, v, values);
#pragma GCC unroll 8
        for (int i = 0; i < Code::kPerLine; ++i)
          vst1q_u8(out + i * kLine + v * kVectorBytes, vreinterpretq_u8_f32(values[i]));
      }
    }
    return {args.panel, 0};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      StreamSums sums;
      sums.add_lines<Code>(lines_of(args, block), x, args.k / Code::kPerLine);
      for (int v = 0; v < kVectors; ++v) finish_float(args, 0, block, v, sums.total(v));
    }
  }
};

/// 4-bit weights in groups along k. A decoded weight is its value, exactly: 4 bits times the 11 of
/// an FP16 scale.
struct GroupFormat : FloatFormat {
  static constexpr int64_t kLineSteps = U4::kPerLine;
  static constexpr int64_t kStreamRows = 1;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step / args.group, kLineSteps);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t steps) {
    unsigned char* out = args.panel;
    for (int64_t begin = step; begin < step + steps; begin += args.group) {
      const int64_t group = begin / args.group;
      const unsigned char* line =
          group_lines(args, pair_at(args, block, group, kGroupLine), group, kGroupLine);
      const int64_t end = smaller(begin + args.group, step + steps);
      for (int64_t s = begin; s < end; s += kLineSteps, line += kLine, out += kLineSteps * kLine) {
        for (int v = 0; v < kVectors; ++v) {
          const float32x4_t scales = group_scales(args, block, group, v);
          float32x4_t values[kLineSteps];
          U4::decode(line, v, values);
#pragma GCC unroll 8
          for (int i = 0; i < kLineSteps; ++i) {
            vst1q_u8(out + i * kLine + v * kVectorBytes,
                     vreinterpretq_u8_f32(vmulq_f32(values[i], scales)));
          }
        }
      }
    }
    return {args.panel, 0};
  }

  static void stream(const LinearArgs& args) {
    const float* x = reinterpret_cast<const float*>(args.x);
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      float32x4_t total[kVectors];
      for (int v = 0; v < kVectors; ++v) total[v] = vdupq_n_f32(0);
      for (int64_t begin = 0, group = 0; begin < args.k; begin += args.group, ++group) {
        StreamSums sums;
        sums.add_lines<U4>(
            group_lines(args, pair_at(args, block, group, kGroupLine), group, kGroupLine),
            x + begin, smaller(args.group, args.k - begin) / kLineSteps);
        for (int v = 0; v < kVectors; ++v)
          total[v] = vfmaq_f32(total[v], sums.total(v), group_scales(args, block, group, v));
      }
      for (int v = 0; v < kVectors; ++v) finish_float(args, 0, block, v, total[v]);
    }
  }
};

}  // namespace

void linear_f32(const LinearArgs& args) { run_linear<ChannelFormat<F32>>(args); }
void linear_f16(const LinearArgs& args) { run_linear<ChannelFormat<F16>>(args); }
void linear_bf16(const LinearArgs& args) { run_linear<ChannelFormat<Bf16>>(args); }
void linear_s8(const LinearArgs& args) { run_linear<ChannelFormat<S8>>(args); }
void linear_s4(const LinearArgs& args) { run_linear<GroupFormat>(args); }

}  // namespace qassay::own
