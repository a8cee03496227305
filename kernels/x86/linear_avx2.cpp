// FP32 activations: how AVX2 decodes weights.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx2.h"

#include "kernels/x86/float.h"

namespace qassay::own {
namespace {

struct F32 {
  static constexpr int kPerLine = 1;
  QASSAY_INLINE static Floats value(const unsigned char* line, int) { return load_floats(line); }
};

struct F16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    return load_halves(line + i * kLine / 2);
  }
};

// Pairs of k in a word: BF16 is the upper half of FP32.
struct Bf16 {
  static constexpr int kPerLine = 2;
  QASSAY_INLINE static __m256 half(__m256i pairs, int i) {
    const __m256i upper = _mm256_set1_epi32(static_cast<int>(0xFFFF0000U));
    return _mm256_castsi256_ps(i == 0 ? _mm256_slli_epi32(pairs, 16)
                                      : _mm256_and_si256(pairs, upper));
  }
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    const Ints pairs = load_ints(line);
    return {half(pairs.low, i), half(pairs.high, i)};
  }
};

/// Byte i of each word as a float, without `zero`: put into the low bits of 2^23 a byte is the
/// float 2^23 + byte.
QASSAY_INLINE __m256 byte_of_words(__m256i words, int i, int zero) {
  // Byte i to the lowest of each word, zeros to the others.
  const __m256i word = _mm256_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12);
  const __m256i to_lowest = _mm256_or_si256(_mm256_add_epi32(word, _mm256_set1_epi32(i)),
                                            _mm256_set1_epi32(static_cast<int>(0x80808000U)));
  const __m256i bits =
      _mm256_or_si256(_mm256_shuffle_epi8(words, to_lowest), _mm256_set1_epi32(0x4B000000));
  return _mm256_sub_ps(_mm256_castsi256_ps(bits),
                       _mm256_set1_ps(8388608.0F + static_cast<float>(zero)));
}
QASSAY_INLINE Floats byte_of_words(Ints words, int i, int zero) {
  return {byte_of_words(words.low, i, zero), byte_of_words(words.high, i, zero)};
}

// Four k in a word, as code - 128.
struct U8 {
  static constexpr int kPerLine = 4;
  static constexpr int kZero = kZeroU8;
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    return byte_of_words(load_ints(line), i, kZero);
  }
};

// Eight k in a word, as code - 8. The low nibbles of the 4 bytes are k 0..3, the high ones 4..7.
struct U4 {
  static constexpr int kPerLine = 8;
  static constexpr int kZero = kZeroU4;
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    const Ints both = load_ints(line);
    return byte_of_words(i < 4 ? low_nibbles(both) : high_nibbles(both), i % 4, kZero);
  }
};

}  // namespace

namespace avx2 {

void linear_f32(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F32>>>(args); }
void linear_f16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F16>>>(args); }
void linear_bf16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<Bf16>>>(args); }
void linear_u8(const LinearArgs& args) { run_integers<ChannelFormat, U8>(args); }
void linear_u8_groups(const LinearArgs& args) { run_integers<GroupFormat, U8>(args); }
void linear_u4(const LinearArgs& args) { run_integers<ChannelFormat, U4>(args); }
void linear_u4_groups(const LinearArgs& args) { run_integers<GroupFormat, U4>(args); }

}  // namespace avx2
}  // namespace qassay::own
