#pragma once

// The arithmetic of int8 activations (core/grid.hpp, quantize_row) and of sums of their products,
// one number at a time, shared by the kernels and by the tests on the host. Quotients are true
// divisions: nvcc is not to be given -use_fast_math.

#include <float.h>
#include <math.h>

#include "kernels/cuda/layout.h"

namespace qassay::cuda {

/// A magnitude as its bits, which are ordered like the numbers, NaN above all.
constexpr uint32_t kMagnitudeBits = 0x7FFFFFFF;

/// The scale of a row whose largest magnitude is given.
QASSAY_HOST_DEVICE inline float scale_of_row(float largest) {
  return fmaxf(largest / 127.0F, FLT_MIN);
}
/// Whether quantize_row takes the row: all numbers are finite, and so is the end of the grid.
QASSAY_HOST_DEVICE inline bool takes_row(float largest) {
  return largest <= FLT_MAX && 127.0F * scale_of_row(largest) <= FLT_MAX;
}
QASSAY_HOST_DEVICE inline int8_t code_of_number(float x, float scale) {
  return static_cast<int8_t>(fminf(fmaxf(rintf(x / scale), -127.0F), 127.0F));
}
/// A number of y from the exact sum of products of codes.
QASSAY_HOST_DEVICE inline float scaled_sum(int32_t sum, float channel_scale, float row_scale,
                                           float bias) {
  return fmaf(fmaf(static_cast<float>(sum), channel_scale, 0.0F), row_scale, bias);
}

}  // namespace qassay::cuda
