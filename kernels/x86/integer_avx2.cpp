// Int8 activations with AVX2 alone. vpmaddubsw adds two products of an unsigned and a signed byte
// to an int16 and saturates, which two products with a code of 8 bits can reach (2 * 255 * 127) and
// eight times two with one of 4 bits cannot: |8 * 2 * 15 * -128| = 30,720 < 2^15. So
//
//   * the products with 4-bit codes are summed in 16 bits for kSafeSteps steps, then widened;
//   * an 8-bit code is low nibble + 16 * high nibble, and each half is summed that way; vpmaddwd,
//   by
//     which sums are widened, multiplies by the 16.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx2.h"

#include "kernels/x86/integer.h"

namespace qassay::own {
namespace {

constexpr int64_t kSafeSteps = 8;
static_assert(kSafeSteps * 2 * 15 * 128 < 1 << 15);

/// What of a line's bytes is the code.
enum class Part { low_nibble, high_nibble, whole_byte };

template <Part kPart>
QASSAY_INLINE Ints codes_of(const unsigned char* line) {
  const Ints bytes = load_ints(line);
  return kPart == Part::low_nibble    ? low_nibbles(bytes)
         : kPart == Part::high_nibble ? high_nibbles(bytes)
                                      : bytes;
}

/// Sums of 4-bit codes times x in 16 bits, for kRows rows, over at most kSafeSteps steps.
template <int kRows>
struct ShortSums {
  __m256i low[kRows], high[kRows];  // [8 channels][2]

  QASSAY_INLINE ShortSums() {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) low[r] = high[r] = _mm256_setzero_si256();
  }

  QASSAY_INLINE void add(Ints codes, const Word* x) {
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256i word = _mm256_set1_epi32(x[r]);
      low[r] = _mm256_add_epi16(low[r], _mm256_maddubs_epi16(codes.low, word));
      high[r] = _mm256_add_epi16(high[r], _mm256_maddubs_epi16(codes.high, word));
    }
  }

  /// sums += factor * these.
  QASSAY_INLINE void add_to(Ints (&sums)[kRows][1], short factor) const {
    const __m256i factors = _mm256_set1_epi16(factor);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      sums[r][0] = qassay::own::add(sums[r][0], Ints{_mm256_madd_epi16(low[r], factors),
                                                     _mm256_madd_epi16(high[r], factors)});
    }
  }
};

/// sums += factor * the products of `steps` steps, one a line.
template <Part kPart, int kRows>
QASSAY_INLINE void add_lines_of(Ints (&sums)[kRows][1], const unsigned char* line, const Word* x,
                                int64_t steps, short factor) {
  ShortSums<kRows> part;
#pragma GCC unroll 2
  for (int64_t s = 0; s < steps; ++s) part.add(codes_of<kPart>(line + s * kLine), x + s * kRows);
  part.add_to(sums, factor);
}

template <int kRows>
QASSAY_INLINE void add_bytes(Ints (&sums)[kRows][1], const unsigned char* line, const Word* x,
                             int64_t steps) {
  add_lines_of<Part::low_nibble>(sums, line, x, steps, 1);
  add_lines_of<Part::high_nibble>(sums, line, x, steps, 16);
}

template <typename CodeOfWeights>
struct Products {
  using Code = CodeOfWeights;
  static constexpr bool kBytes = Code::kSteps == 1;

  static constexpr int chains(int) { return 1; }

  template <int kRows>
  QASSAY_INLINE static void add_panel(Ints (&sums)[kRows][1], Walk& walk, int64_t steps,
                                      const TileCall& call) {
    static_assert(kSafeSteps == 2 * kStopSteps);
    while (steps > 0) {
      const int64_t count = smaller(steps, kSafeSteps);
      stop<1>(walk, call);
      if (count > kStopSteps) stop<1>(walk, call);
      if constexpr (kBytes) {
        add_bytes(sums, walk.lines, walk.x, count);
      } else {
        add_lines_of<Part::whole_byte>(sums, walk.lines, walk.x, count, 1);
      }
      walk.lines += count * kLine;
      walk.x += count * kRows;
      steps -= count;
    }
  }

  template <int kRows>
  QASSAY_INLINE static void add_lines(Ints (&sums)[kRows][1], int64_t lines,
                                      const unsigned char*& line, const Word*& x) {
    while (lines > 0) {
      const int64_t count = smaller(lines, kSafeSteps / Code::kSteps);
      for (int64_t l = 0; l < count; ++l)
        _mm_prefetch(line + kStreamAhead + l * kLine, _MM_HINT_T0);
      if constexpr (kBytes) {
        add_bytes(sums, line, x, count);
      } else {
        ShortSums<kRows> part;
        for (int64_t l = 0; l < count; ++l) {
          part.add(codes_of<Part::low_nibble>(line + l * kLine), x + 2 * l * kRows);
          part.add(codes_of<Part::high_nibble>(line + l * kLine), x + (2 * l + 1) * kRows);
        }
        part.add_to(sums, 1);
      }
      line += count * kLine;
      x += count * Code::kSteps * kRows;
      lines -= count;
    }
  }
};

}  // namespace

namespace avx2 {

void linear_a8_u8(const LinearArgs& args) { run_linear<ChannelFormat<Products<U8>>>(args); }
void linear_a8_u8_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U8>>>(args); }
void linear_a8_u4(const LinearArgs& args) { run_linear<ChannelFormat<Products<U4>>>(args); }
void linear_a8_u4_groups(const LinearArgs& args) { run_linear<GroupFormat<Products<U4>>>(args); }

}  // namespace avx2
}  // namespace qassay::own
