// Int8 activations with 8-bit and 4-bit weights, products summed exactly by vpdpbusd.
//
// The instruction multiplies unsigned bytes (the codes of the weights, as they are stored) by
// signed ones (the codes of x) and adds four products to an int32 without saturating. The zero of
// the unsigned codes is paid for at the start: each sum begins at -zero * sum of the codes of x.
// 4-bit weights are read nibble by nibble for one row, and unpacked into bytes once a panel for
// more.
//
// Contract "bit_exact": sums wrap on their way but not at the end (the longest sum is refused
// above), so their order is free; the floating operations are the reference's, one by one.

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
    return _mm512_set1_epi32(call.corrections[row * call.groups]);
  }
  QASSAY_INLINE static Sum load(const float* partial) { return _mm512_loadu_si512(partial); }
  QASSAY_INLINE static void save(float* partial, Sum sum) { _mm512_storeu_si512(partial, sum); }
  QASSAY_INLINE static void add(Sum& sum, __m512i weights, __m512i x) {
    add_products(sum, weights, x);
  }
};

QASSAY_INLINE void finish_row(const LinearArgs& args, int64_t row, int64_t block, __m512 sum) {
  const __m512 scale = _mm512_set1_ps(args.row_scales[row]);
  store(args, row, block, _mm512_fmadd_ps(sum, scale, bias_of(args, block)));
}

/// 8-bit codes with one scale a channel.
struct ChannelFormat {
  using Dot = IntegerDot;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = 1;

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return lines_of(args, block) + step * kLine;
  }
  static Lines panel(const LinearArgs& args, int64_t block, int64_t, int64_t step, int64_t) {
    return {source(args, block, step), args.block_bytes};
  }
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    whole_sums<IntegerDot, kRows, kBlocks>(call);
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   __m512i sum) {
    finish_row(
        args, row, block,
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), channel_scales(args, block), _mm512_setzero_ps()));
  }
  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish(args, row, block, _mm512_loadu_si512(partial));
  }

  static void stream(const LinearArgs& args) {
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      __m512i sums[4] = {_mm512_set1_epi32(args.corrections[0]), _mm512_setzero_si512(),
                         _mm512_setzero_si512(), _mm512_setzero_si512()};
      const unsigned char* line = lines_of(args, block);
      const Word* x = args.x;
      int64_t lines = args.k / kWord;
      for (; lines >= 4; lines -= 4) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          _mm_prefetch(line + kStreamAhead + i * kLine, _MM_HINT_T0);
          add_products(sums[i], load_line(line + i * kLine), _mm512_set1_epi32(x[i]));
        }
        line += 4 * kLine;
        x += 4;
      }
      for (; lines > 0; --lines, line += kLine, ++x) {
        add_products(sums[0], load_line(line), _mm512_set1_epi32(*x));
      }
      finish(
          args, 0, block,
          _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3])));
    }
  }
};

/// 4-bit codes in groups along k with an FP16 scale each.
struct GroupFormat {
  using Dot = IntegerDot;
  static constexpr int64_t kWord = 4;
  static constexpr int64_t kLineSteps = 2;  // low nibbles, then high ones

  QASSAY_INLINE static __m512i low(__m512i line) {
    return _mm512_and_si512(line, _mm512_set1_epi8(15));
  }
  QASSAY_INLINE static __m512i high(__m512i line) { return low(_mm512_srli_epi16(line, 4)); }

  QASSAY_INLINE static const unsigned char* source(const LinearArgs& args, int64_t block,
                                                   int64_t step) {
    return pair_at(args, block, step * kWord / args.group);
  }

  static Lines panel(const LinearArgs& args, int64_t block, int64_t blocks, int64_t step,
                     int64_t steps) {
    const int64_t group_steps = args.group / kWord;
    for (int64_t b = 0; b < blocks; ++b) {
      unsigned char* out = args.panel + b * spread_lines(steps) * kLine;
      float* scales = args.panel_scales + b * kBlock;
      for (int64_t begin = step; begin < step + steps; begin += group_steps) {
        const int64_t group = begin / group_steps;
        _mm512_storeu_ps(scales, group_scales(args, block + b, group));
        scales += kPanel;
        const unsigned char* line = group_lines(args, block + b, group);
        const int64_t end = smaller(begin + group_steps, step + steps);
        for (int64_t s = begin; s < end; s += kLineSteps) {
          const __m512i nibbles = load_line(line);
          _mm512_storeu_si512(out, low(nibbles));
          _mm512_storeu_si512(out + kLine, high(nibbles));
          line += kLine;
          out += kLineSteps * kLine;
        }
      }
    }
    return {args.panel, static_cast<size_t>(spread_lines(steps) * kLine)};
  }

  /// Exact sums in each group, then partial = fma(float(sum), scale, partial) in their order. The
  /// floating sums stay in memory: the 24 integer ones need the registers.
  template <int kRows, int kBlocks>
  static void tile(const TileCall& call) {
    if (call.first) {
      for (int r = 0; r < kRows; ++r) {
        for (int b = 0; b < kBlocks; ++b)
          _mm512_storeu_ps(call.partial + r * kPanel + b * kBlock, _mm512_setzero_ps());
      }
    }
    Walk walk = begin_walk(call);
    const float* scales = call.scales;
    const int32_t* corrections = call.corrections + call.first_group;
    for (int64_t step = 0; step < call.steps; step += call.group) {
      __m512i sums[kRows][kBlocks];
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m512i start = _mm512_set1_epi32(corrections[r * call.groups]);
#pragma GCC unroll 4
        for (int b = 0; b < kBlocks; ++b) sums[r][b] = start;
      }
      add_steps<Dot>(sums, walk, smaller(call.group, call.steps - step), call);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
        for (int b = 0; b < kBlocks; ++b) {
          float* partial = call.partial + r * kPanel + b * kBlock;
          _mm512_storeu_ps(partial, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][b]),
                                                    _mm512_loadu_ps(scales + b * kBlock),
                                                    _mm512_loadu_ps(partial)));
        }
      }
      ++corrections;
      scales += kPanel;
    }
  }

  QASSAY_INLINE static void finish(const LinearArgs& args, int64_t row, int64_t block,
                                   const float* partial) {
    finish_row(args, row, block, _mm512_loadu_ps(partial));
  }

  static void stream(const LinearArgs& args) {
    for (int64_t block = args.begin_block; block < args.end_block; ++block) {
      __m512 total = _mm512_setzero_ps();
      const Word* x = args.x;
      const unsigned char* line = lines_of(args, block);
      const unsigned char* pair = line;
      for (int64_t begin = 0, group = 0; begin < args.k; begin += args.group, ++group) {
        if (group % 2 == 0) {
          pair = line;
          _mm_prefetch(pair + kStreamAhead, _MM_HINT_T0);
          line += kLine;
        }
        __m512i sums[4] = {_mm512_set1_epi32(args.corrections[group]), _mm512_setzero_si512(),
                           _mm512_setzero_si512(), _mm512_setzero_si512()};
        int64_t lines = smaller(args.group, args.k - begin) / (kLineSteps * kWord);
        for (; lines >= 2; lines -= 2) {
#pragma GCC unroll 2
          for (int i = 0; i < 2; ++i) {
            _mm_prefetch(line + kStreamAhead + i * kLine, _MM_HINT_T0);
            const __m512i nibbles = load_line(line + i * kLine);
            add_products(sums[2 * i], low(nibbles), _mm512_set1_epi32(x[2 * i]));
            add_products(sums[2 * i + 1], high(nibbles), _mm512_set1_epi32(x[2 * i + 1]));
          }
          line += 2 * kLine;
          x += 4;
        }
        for (; lines > 0; --lines, line += kLine, x += 2) {
          const __m512i nibbles = load_line(line);
          add_products(sums[0], low(nibbles), _mm512_set1_epi32(x[0]));
          add_products(sums[1], high(nibbles), _mm512_set1_epi32(x[1]));
        }
        const __m512i sum = _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]),
                                             _mm512_add_epi32(sums[2], sums[3]));
        total = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), pair_scales(pair, group), total);
      }
      finish_row(args, 0, block, total);
    }
  }
};

}  // namespace

void linear_a8_s8(const LinearArgs& args) { run_linear<ChannelFormat>(args); }
void linear_a8_s4(const LinearArgs& args) { run_linear<GroupFormat>(args); }

}  // namespace qassay::own
