// FP32 activations: how AVX-512 decodes weights.

#include "kernels/x86/functions.h"
#include "kernels/x86/vectors_avx512.h"

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
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    const Ints pairs = load_ints(line);
    const Ints upper = all(static_cast<int32_t>(0xFFFF0000U));
    return _mm512_castsi512_ps(i == 0 ? _mm512_slli_epi32(pairs, 16)
                                      : _mm512_and_si512(pairs, upper));
  }
};

// Four k in a word, as code - 128. A byte put into the low bits of 2^23 is the float 2^23 + byte.
struct U8 {
  static constexpr int kPerLine = 4;
  static constexpr int kZero = kZeroU8;
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    const Ints shifted = _mm512_srli_epi32(load_ints(line), static_cast<unsigned int>(8 * i));
    // (shifted & byte) | exponent
    const Ints bits =
        _mm512_ternarylogic_epi32(shifted, all(int32_t{0xFF}), all(int32_t{0x4B000000}), 0xEA);
    return subtract(_mm512_castsi512_ps(bits), all(8388608.0F + kZero));
  }
};

// Eight k in a word, as code - 8, looked up: vpermps takes the low 4 bits of each lane as its
// index. The low nibbles of the 4 bytes are k 0..3, the high ones 4..7.
struct U4 {
  static constexpr int kPerLine = 8;
  static constexpr int kZero = kZeroU4;
  QASSAY_INLINE static Floats value(const unsigned char* line, int i) {
    const Floats values = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
    const int shift = i < 4 ? 8 * i : 8 * (i - 4) + 4;
    return _mm512_permutexvar_ps(
        _mm512_srli_epi32(load_ints(line), static_cast<unsigned int>(shift)), values);
  }
};

}  // namespace

namespace avx512 {

void linear_f32(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F32>>>(args); }
void linear_f16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<F16>>>(args); }
void linear_bf16(const LinearArgs& args) { run_linear<ChannelFormat<Plain<Bf16>>>(args); }
void linear_u8(const LinearArgs& args) { run_integers<ChannelFormat, U8>(args); }
void linear_u8_groups(const LinearArgs& args) { run_integers<GroupFormat, U8>(args); }
void linear_u4(const LinearArgs& args) { run_integers<ChannelFormat, U4>(args); }
void linear_u4_groups(const LinearArgs& args) { run_integers<GroupFormat, U4>(args); }

}  // namespace avx512
}  // namespace qassay::own
