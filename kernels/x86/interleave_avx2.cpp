// The rows of a tile side by side, 4 words of each at a time: four rows are transposed into vectors
// of one word of each.

#include <immintrin.h>

#include "kernels/x86/functions.h"

namespace qassay::own {
namespace {

/// The first kCount words of `word`.
template <int kCount>
inline void store_words(Word* out, __m128i word) {
  if constexpr (kCount == 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), word);
  } else if constexpr (kCount == 1) {
    *out = _mm_cvtsi128_si32(word);
  } else {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), word);
    if constexpr (kCount == 3) out[2] = _mm_extract_epi32(word, 2);
  }
}

/// 4 words of up to 4 rows: those at word w to out[w * stride ..].
template <int kCount>
inline void transpose(const __m128i* rows, Word* out, int64_t stride) {
  const __m128i none = _mm_setzero_si128();
  const __m128i b = kCount > 1 ? rows[1] : none;
  const __m128i c = kCount > 2 ? rows[2] : none;
  const __m128i d = kCount > 3 ? rows[3] : none;
  const __m128i ab_low = _mm_unpacklo_epi32(rows[0], b), cd_low = _mm_unpacklo_epi32(c, d);
  const __m128i ab_high = _mm_unpackhi_epi32(rows[0], b), cd_high = _mm_unpackhi_epi32(c, d);
  store_words<kCount>(out, _mm_unpacklo_epi64(ab_low, cd_low));
  store_words<kCount>(out + stride, _mm_unpackhi_epi64(ab_low, cd_low));
  store_words<kCount>(out + 2 * stride, _mm_unpacklo_epi64(ab_high, cd_high));
  store_words<kCount>(out + 3 * stride, _mm_unpackhi_epi64(ab_high, cd_high));
}

inline Word word_at(const unsigned char* from) {
  Word word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

/// The sum of 4 times 4 int8.
inline __m128i sums_of(__m128i bytes) {
  const __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), bytes);
  return _mm_madd_epi16(pairs, _mm_set1_epi16(1));
}

template <int kRows, bool kSums>
void interleave(const unsigned char* const* from, int64_t words, Word* out, int32_t* sums) {
  constexpr int kFirst = kRows < 4 ? kRows : 4;
  __m128i sum[kRows];
  if constexpr (kSums) {
    for (int r = 0; r < kRows; ++r)
      sum[r] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums + r * kLanes));
  }
  int64_t i = 0;
  for (; i + 4 <= words; i += 4, out += 4 * kRows) {
    __m128i x[kRows];
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      x[r] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from[r] + 4 * i));
      if constexpr (kSums) sum[r] = _mm_add_epi32(sum[r], sums_of(x[r]));
    }
    transpose<kFirst>(x, out, kRows);
    if constexpr (kRows > 4) transpose<kRows - 4>(x + 4, out + 4, kRows);
  }
  for (; i < words; ++i) {
    for (int r = 0; r < kRows; ++r) {
      const Word word = word_at(from[r] + 4 * i);
      *out++ = word;
      if constexpr (kSums) sum[r] = _mm_add_epi32(sum[r], sums_of(_mm_cvtsi32_si128(word)));
    }
  }
  if constexpr (kSums) {
    for (int r = 0; r < kRows; ++r)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + r * kLanes), sum[r]);
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

namespace avx2 {

void interleave_words(const unsigned char* const* from, int64_t rows, int64_t words, Word* out) {
  interleave<false>(from, rows, words, out, nullptr);
}

void interleave_codes(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,
                      int32_t* sums) {
  interleave<true>(from, rows, words, out, sums);
}

}  // namespace avx2
}  // namespace qassay::own
