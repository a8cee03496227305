#pragma once

#include <cstdint>

#include "core/matrix_view.hpp"

namespace qassay {

/// The two halves of an A8 operation that oneDNN leaves to us, around its exact product of codes.

/// quantize_row (core/grid.hpp) of every row, with equal codes and scales: codes[x.rows][x.cols],
/// scales[x.rows]. Throws InputError when a number is not finite.
void quantize_rows(ConstMatrix x, int threads, std::int8_t* codes, float* scales);

/// Turns sums[m][n], in place, from int32 into FP32:
///   r = fma(float(sum), channel_scales[n], 0);   y = fma(r, row_scales[m], bias[n])
/// the formula of the reference kernel. `bias` may be nullptr.
void scale_rows(float* sums, std::int64_t m, std::int64_t n, const float* channel_scales,
                const float* row_scales, const float* bias, int threads);

}  // namespace qassay
