// Int8 activations with AVX2 alone, whose vpmaddubsw adds two products of an unsigned and a signed
// byte to an int16, and saturates. Two products with a code of 8 bits can reach that (2 * 255 *
// 127), eight times two with one of 4 bits cannot: |8 * 2 * 15 * -128| = 30,720 < 2^15. So
//
//   * the products with 4-bit codes are summed in 16 bits for kShortSteps steps, then widened;
//   * 8-bit codes and x are widened first, and vpmaddwd adds two products to an int32, exactly:
//     2 * 255 * 128 < 2^31. The bytes 0 and 2 of all words are pairs of int16, and the bytes 1
//     and 3.
//
// The steps of a tile are assembly: with 12 sums and the codes of a step two registers are left,
// and g++ 12 needs more.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx2.h"

#include "kernels/x86/integer.h"

namespace qassay::own {
namespace {

constexpr int64_t kShortSteps = 8;
static_assert(kShortSteps * 2 * 15 * 128 < 1 << 15);

// sums += codes times the word at x, by a `multiply` that adds neighbours and an `add`.
#define QASSAY_ADD_PRODUCTS(multiply, add, sums, codes, x)                                  \
  do {                                                                                      \
    __m256i word, products;                                                                 \
    asm("vpbroadcastd %6, %2\n\t" multiply " %2, %4, %3\n\t" add " %3, %0, %0\n\t" multiply \
        " %2, %5, %2\n\t" add " %2, %1, %1"                                                 \
        : "+x"((sums).low), "+x"((sums).high), "=&x"(word), "=&x"(products)                 \
        : "x"((codes).low), "x"((codes).high), "m"(x));                                     \
  } while (0)

/// Sums of 4-bit codes times x in 16 bits, [16 channels][2], over at most kShortSteps steps.
template <int kRows>
struct ShortSums {
  Ints at[kRows];

  QASSAY_INLINE ShortSums() {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) at[r] = no_ints();
  }
  QASSAY_INLINE void add_step(Ints codes, const Word* x) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) QASSAY_ADD_PRODUCTS("vpmaddubsw", "vpaddw", at[r], codes, x[r]);
  }
  QASSAY_INLINE void add_to(Ints (&sums)[kRows][1]) const {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const Ints wide{_mm256_madd_epi16(at[r].low, ones), _mm256_madd_epi16(at[r].high, ones)};
      sums[r][0] = add(sums[r][0], wide);
    }
  }
};

struct NibbleProducts {
  using Code = U4;
  static constexpr int chains(int, int) { return 1; }
  QASSAY_INLINE static Ints whole(const Ints (&chains)[1]) { return chains[0]; }

  template <int kRows>
  QASSAY_INLINE static void add_panel(Ints (&sums)[kRows][1], Walk& walk, int64_t steps,
                                      const TileCall& call) {
    while (steps > 0) {
      const int64_t count = smaller(steps, kShortSteps);
      ShortSums<kRows> part;
      for (int64_t s = 0; s < count; ++s)
        part.add_step(load_ints(walk.lines + s * kLine), walk.x + s * kRows);
      part.add_to(sums);
      for (int64_t s = 0; s < count; s += kStopSteps) stop<1>(walk, call);
      walk.lines += count * kLine;
      walk.x += count * kRows;
      steps -= count;
    }
  }

  template <int kRows>
  QASSAY_INLINE static void add_lines(Ints (&sums)[kRows][1], int64_t lines,
                                      const unsigned char*& line, const Word*& x) {
    while (lines > 0) {
      const int64_t count = smaller(lines, kShortSteps / U4::kSteps);
      ShortSums<kRows> part;
      for (int64_t l = 0; l < count; ++l) {
        _mm_prefetch(line + kStreamAhead, _MM_HINT_T0);
        part.add_step(low_nibbles(load_ints(line)), x);
        part.add_step(high_nibbles(load_ints(line)), x + kRows);
        line += kLine;
        x += 2 * kRows;
      }
      part.add_to(sums);
      lines -= count;
    }
  }
};

// Steps whose x is widened at a time.
constexpr int64_t kWideSteps = 32;

/// Words of 4 int8 as words of 2 int16: those of the bytes 0 and 2, those of 1 and 3.
template <int kRows>
struct WidePairs {
  alignas(32) Word even[kWideSteps * kRows];
  alignas(32) Word odd[kWideSteps * kRows];

  QASSAY_INLINE void fill(const Word* x, int64_t words) {
    for (int64_t i = 0; i < words; i += kHalf) {
      const __m256i bytes = _mm256_maskload_epi32(x + i, first_lanes(words - i));
      _mm256_store_si256(reinterpret_cast<__m256i*>(even + i),
                         _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8));
      _mm256_store_si256(reinterpret_cast<__m256i*>(odd + i), _mm256_srai_epi16(bytes, 8));
    }
  }
};

QASSAY_INLINE Ints even_codes(Ints bytes) {
  const __m256i mask = _mm256_set1_epi16(0xFF);
  return {_mm256_and_si256(bytes.low, mask), _mm256_and_si256(bytes.high, mask)};
}
QASSAY_INLINE Ints odd_codes(Ints bytes) {
  return {_mm256_srli_epi16(bytes.low, 8), _mm256_srli_epi16(bytes.high, 8)};
}

struct ByteProducts {
  using Code = U8;
  static constexpr int chains(int, int) { return 1; }
  QASSAY_INLINE static Ints whole(const Ints (&chains)[1]) { return chains[0]; }

  /// At most kWideSteps.
  template <int kRows>
  QASSAY_INLINE static void add_steps_of(Ints (&sums)[kRows][1], const unsigned char* line,
                                         const Word* x, int64_t steps) {
    static_assert(kWideSteps * kRows % kHalf == 0);
    WidePairs<kRows> pairs;
    pairs.fill(x, steps * kRows);
    for (int64_t s = 0; s < steps; ++s) {
      const Ints codes = even_codes(load_ints(line + s * kLine));
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r)
        QASSAY_ADD_PRODUCTS("vpmaddwd", "vpaddd", sums[r][0], codes, pairs.even[s * kRows + r]);
    }
    for (int64_t s = 0; s < steps; ++s) {
      const Ints codes = odd_codes(load_ints(line + s * kLine));
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r)
        QASSAY_ADD_PRODUCTS("vpmaddwd", "vpaddd", sums[r][0], codes, pairs.odd[s * kRows + r]);
    }
  }

  template <int kRows>
  QASSAY_INLINE static void add_panel(Ints (&sums)[kRows][1], Walk& walk, int64_t steps,
                                      const TileCall& call) {
    while (steps > 0) {
      const int64_t count = smaller(steps, kWideSteps);
      add_steps_of(sums, walk.lines, walk.x, count);
      for (int64_t s = 0; s < count; s += kStopSteps) stop<1>(walk, call);
      walk.lines += count * kLine;
      walk.x += count * kRows;
      steps -= count;
    }
  }

  template <int kRows>
  QASSAY_INLINE static void add_lines(Ints (&sums)[kRows][1], int64_t lines,
                                      const unsigned char*& line, const Word*& x) {
    while (lines > 0) {
      const int64_t count = smaller(lines, kWideSteps);
      for (int64_t l = 0; l < count; ++l)
        _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
      add_steps_of(sums, line, x, count);
      line += count * kLine;
      x += count * kRows;
      lines -= count;
    }
  }
};

#undef QASSAY_ADD_PRODUCTS

}  // namespace

namespace avx2 {

void linear_a8_u8(const LinearArgs& args) { run_linear<ChannelFormat<ByteProducts>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_linear<GroupFormat<ByteProducts>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_linear<ChannelFormat<NibbleProducts>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_linear<GroupFormat<NibbleProducts>>(args); }

}  // namespace avx2
}  // namespace qassay::own
