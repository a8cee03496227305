#pragma once

// The functions of this folder's instruction sets, each in its namespace; own/args.h says how they
// are called.

#include "kernels/own/args.h"

namespace qassay::own {

#define QASSAY_X86_FLOAT_FUNCTIONS(isa)          \
  namespace isa {                                \
  void linear_f32(const LinearArgs& args);       \
  void linear_f16(const LinearArgs& args);       \
  void linear_bf16(const LinearArgs& args);      \
  void linear_u8(const LinearArgs& args);        \
  void linear_u8_groups(const LinearArgs& args); \
  void linear_u4(const LinearArgs& args);        \
  void linear_u4_groups(const LinearArgs& args); \
  }
#define QASSAY_X86_INTEGER_FUNCTIONS(isa)           \
  namespace isa {                                   \
  void linear_a8_u8(const LinearArgs& args);        \
  void linear_a8_u8_groups(const LinearArgs& args); \
  void linear_a8_u4(const LinearArgs& args);        \
  void linear_a8_u4_groups(const LinearArgs& args); \
  }
#define QASSAY_X86_ROW_FUNCTIONS(isa)                                                              \
  namespace isa {                                                                                  \
  float largest_magnitude(const float* x, int64_t k);                                              \
  void interleave_words(const unsigned char* const* from, int64_t rows, int64_t words, Word* out); \
  void interleave_codes(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,  \
                        int32_t* sums);                                                            \
  void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group,            \
                       Word* words, int64_t stride, int32_t* corrections);                         \
  void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,    \
                               int64_t stride, int32_t* corrections, float* scales);               \
  void quantize_row_a16(const float* x, int64_t k, int zero, int64_t group, Word* words,           \
                        int64_t low, int64_t stride, int32_t* corrections, int64_t groups,         \
                        float* scales);                                                            \
  }

QASSAY_X86_FLOAT_FUNCTIONS(avx512)
QASSAY_X86_FLOAT_FUNCTIONS(avx2)
QASSAY_X86_INTEGER_FUNCTIONS(avx512vnni)
QASSAY_X86_INTEGER_FUNCTIONS(avxvnni)
QASSAY_X86_INTEGER_FUNCTIONS(avx2)
QASSAY_X86_INTEGER_FUNCTIONS(amx)
QASSAY_X86_ROW_FUNCTIONS(avx512)
QASSAY_X86_ROW_FUNCTIONS(avx2)

// 16 words of a row together, and zeros behind them up to the next 16.
namespace avx512 {
void quantize_row_a8_together(const float* x, int64_t k, float scale, int zero, int64_t group,
                              Word* words, int64_t stride, int32_t* corrections);
void quantize_row_a8_blocked_together(const float* x, int64_t k, int zero, int64_t group,
                                      Word* words, int64_t stride, int32_t* corrections,
                                      float* scales);
void quantize_row_a16_together(const float* x, int64_t k, int zero, int64_t group, Word* words,
                               int64_t low, int64_t stride, int32_t* corrections, int64_t groups,
                               float* scales);
}  // namespace avx512

namespace amx {
void linear_bf16_bf16(const LinearArgs& args);
void linear_f16(const LinearArgs& args);
void linear_u8(const LinearArgs& args);
void linear_u8_groups(const LinearArgs& args);
void linear_u4(const LinearArgs& args);
void linear_u4_groups(const LinearArgs& args);
}  // namespace amx

namespace avx512bf16 {
void linear_bf16_bf16(const LinearArgs& args);
void convert_row_bf16(const float* x, int64_t k, Word* words, int64_t stride);
void convert_row_bf16_together(const float* x, int64_t k, Word* words, int64_t stride);
// 16 words of numbers rounded, 16 of what they are off by; zeros behind the last up to 16 of each.
void convert_row_bf16x2_together(const float* x, int64_t k, Word* words, int64_t stride);
}  // namespace avx512bf16

#undef QASSAY_X86_ROW_FUNCTIONS
#undef QASSAY_X86_INTEGER_FUNCTIONS
#undef QASSAY_X86_FLOAT_FUNCTIONS

}  // namespace qassay::own
