#pragma once

// The functions of this folder's instruction sets; own/args.h says how they are called.

#include "kernels/own/args.h"

namespace qassay::own {

void linear_f32(const LinearArgs& args);
void linear_f16(const LinearArgs& args);
void linear_bf16(const LinearArgs& args);
void linear_u8(const LinearArgs& args);
void linear_u8_groups(const LinearArgs& args);
void linear_u4(const LinearArgs& args);
void linear_u4_groups(const LinearArgs& args);
void linear_a8_u8(const LinearArgs& args);
void linear_a8_u8_groups(const LinearArgs& args);
void linear_a8_u4(const LinearArgs& args);
void linear_a8_u4_groups(const LinearArgs& args);
void linear_bf16_bf16(const LinearArgs& args);

void quantize_row_a8(const float* x, int64_t k, float scale, int zero, int64_t group, Word* words,
                     int64_t stride, int32_t* corrections);
void quantize_row_a8_blocked(const float* x, int64_t k, int zero, int64_t group, Word* words,
                             int64_t stride, int32_t* corrections, float* scales);
void convert_row_bf16(const float* x, int64_t k, Word* words, int64_t stride);

}  // namespace qassay::own
