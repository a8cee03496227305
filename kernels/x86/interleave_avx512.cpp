// The rows of a tile side by side, 16 words of each at a time: the words of all rows are permuted
// into as many vectors of the tile.

#include <immintrin.h>

#include "kernels/x86/functions.h"

namespace qassay::own {
namespace {

// Vector v of a tile of kRows holds the words 16 v .. 16 v + 15 of [16][kRows]: from each pair of
// rows some, chosen by `lanes` as vpermt2d wants them; those of the second and third pair replace
// the first's where their mask says.
template <int kRows>
struct Weave {
  alignas(64) int32_t lanes[kRows][3][16];
  uint16_t of_pair[kRows][3];

  constexpr Weave() : lanes{}, of_pair{} {
    for (int v = 0; v < kRows; ++v) {
      for (int lane = 0; lane < 16; ++lane) {
        const int row = (16 * v + lane) % kRows;
        const int word = (16 * v + lane) / kRows;
        lanes[v][row / 2][lane] = word + row % 2 * 16;
        of_pair[v][row / 2] = static_cast<uint16_t>(of_pair[v][row / 2] | 1 << lane);
      }
    }
  }
};

template <int kRows>
constexpr Weave<kRows> kWeave{};

inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
}

template <int kRows, bool kSums>
void interleave(const unsigned char* const* from, int64_t words, Word* out, int32_t* sums) {
  constexpr int kPairs = (kRows + 1) / 2;
  __m512i sum[kRows];
  if constexpr (kSums) {
    for (int r = 0; r < kRows; ++r) sum[r] = _mm512_setzero_si512();
  }
  for (int64_t i = 0; i < words; i += 16, out += 16 * kRows) {
    const __mmask16 there = first_lanes(words - i);
    __m512i x[2 * kPairs];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) x[r] = _mm512_maskz_loadu_epi32(there, from[r] + 4 * i);
    if constexpr (kRows % 2 == 1) x[kRows] = x[kRows - 1];
    if constexpr (kSums) {
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        const __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi8(1), x[r]);
        sum[r] = _mm512_add_epi32(sum[r], _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
      }
    }
#pragma GCC unroll 6
    for (int v = 0; v < kRows; ++v) {
      __m512i woven = x[0];
      if constexpr (kRows > 1) {
#pragma GCC unroll 3
        for (int p = 0; p < kPairs; ++p) {
          const __m512i lanes = _mm512_load_si512(kWeave<kRows>.lanes[v][p]);
          const __m512i pair = _mm512_permutex2var_epi32(x[2 * p], lanes, x[2 * p + 1]);
          woven = p == 0 ? pair : _mm512_mask_mov_epi32(woven, kWeave<kRows>.of_pair[v][p], pair);
        }
      }
      if (words - i >= 16) {
        _mm512_storeu_si512(out + 16 * v, woven);
      } else if ((words - i) * kRows > 16 * v) {
        _mm512_mask_storeu_epi32(out + 16 * v, first_lanes((words - i) * kRows - 16 * v), woven);
      }
    }
  }
  if constexpr (kSums) {
    for (int r = 0; r < kRows; ++r) {
      const __m256i eight =
          _mm256_add_epi32(_mm512_castsi512_si256(sum[r]), _mm512_extracti64x4_epi64(sum[r], 1));
      const __m128i four =
          _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
      __m128i* const lanes = reinterpret_cast<__m128i*>(sums + r * kLanes);
      _mm_storeu_si128(lanes, _mm_add_epi32(_mm_loadu_si128(lanes), four));
    }
  }
}

template <bool kSums>
void interleave(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,
                int32_t* sums) {
  switch (rows) {
    case 1:
      return interleave<1, kSums>(from, words, out, sums);
    case 2:
      return interleave<2, kSums>(from, words, out, sums);
    case 3:
      return interleave<3, kSums>(from, words, out, sums);
    case 4:
      return interleave<4, kSums>(from, words, out, sums);
    case 5:
      return interleave<5, kSums>(from, words, out, sums);
    default:
      return interleave<6, kSums>(from, words, out, sums);
  }
}

}  // namespace

namespace avx512 {

void interleave_words(const unsigned char* const* from, int64_t rows, int64_t words, Word* out) {
  interleave<false>(from, rows, words, out, nullptr);
}

void interleave_codes(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,
                      int32_t* sums) {
  interleave<true>(from, rows, words, out, sums);
}

}  // namespace avx512
}  // namespace qassay::own
