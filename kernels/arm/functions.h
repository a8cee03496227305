#pragma once

// The functions of this folder's instruction sets; own/args.h says how they are called.

#include "kernels/own/args.h"

namespace qassay::own {

void linear_f32(const LinearArgs& args);
void linear_f16(const LinearArgs& args);
void linear_bf16(const LinearArgs& args);
void linear_s8(const LinearArgs& args);
void linear_s4(const LinearArgs& args);

void linear_a8_s8_neon(const LinearArgs& args);
void linear_a8_s4_neon(const LinearArgs& args);
void linear_a8_s8_dotprod(const LinearArgs& args);
void linear_a8_s4_dotprod(const LinearArgs& args);
void linear_a8_s8_i8mm(const LinearArgs& args);
void linear_a8_s4_i8mm(const LinearArgs& args);

// QuantizeRow for 1 and 2 words together.
void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections);
void quantize_row_a8_pairs(const float* x, int64_t k, float scale, int zero, int64_t group,
                           Word* words, int64_t stride, int32_t* corrections);
float largest_magnitude(const float* x, int64_t k);
void interleave_words(const unsigned char* const* from, int64_t rows, int64_t words, Word* out);
void interleave_codes(const unsigned char* const* from, int64_t rows, int64_t words, Word* out,
                      int32_t* sums);

}  // namespace qassay::own
