#pragma once

#include <cstdint>
#include <string_view>

#include "core/scheme.hpp"

namespace qassay {

/// The one rounding rule. A grid maps a value to a code in [low, high] and back:
///
///   code(x)  = clamp(round(x / scale) + zero, low, high)       round: to nearest, ties to even
///   value(c) = (c - zero) * scale
///
/// Codes are unsigned. A symmetric grid has zero = 2^(bits-1) and leaves code 0 unused, so that it
/// is symmetric (checkpoints of others have it all the same, and kernels take it); an asymmetric
/// grid fits zero to the range. x / scale is a true division: multiplying by a rounded 1/scale
/// moves values next to a tie to the other code (127.5 against 127.499992). The grid is that of
/// Krishnamoorthi (arXiv 1806.08342, section 2.1).
struct Grid {
  float scale = 1.0F;
  int zero = 0;
  int low = 0;
  int high = 0;

  /// Infinities get the nearest end of the range, NaN gets `low`.
  int code(float x) const;
  float value(int c) const;
};

/// A symmetric grid that reaches +-max_abs. The scale is at least the smallest one that can be
/// stored (FLT_MIN, or 2^-24 for FP16), so an all-zero or denormal row has one too. Throws
/// InputError naming `place` when max_abs is not finite, the scale overflows FP16 or the ends of
/// the grid overflow FP32.
///
/// Rounding the scale to FP16 moves the grid's reach by up to 2^-11 of itself: at most 0.07 steps
/// at 8 bits. Where FP16 has fewer bits (scales below 2^-14) the scale is rounded up instead, for
/// there rounding down would cut off as much as a third of the range.
Grid symmetric_grid(float max_abs, int bits, DType scales, std::string_view place = "weights");

/// An asymmetric grid over [min, max], extended to contain 0; zero = round(-min / scale). Same
/// rules for the scale, same errors.
Grid asymmetric_grid(float min, float max, int bits, DType scales,
                     std::string_view place = "weights");

/// codes[i] = grid.code(x[i]) for n values, in a form that compilers turn into vector code.
void quantize_block(const float* x, std::int64_t n, const Grid& grid, std::uint8_t* codes);

/// Dynamic symmetric 8-bit quantization of one row (a token): codes[i] in [-127, 127] with
/// value = code * scale. Returns the scale. The rule that every kernel of an A8 scheme follows.
/// Throws InputError when a value is not finite.
float quantize_row(const float* x, std::int64_t k, std::int8_t* codes);

/// The same in blocks of `block` values along k, the last of which may be short, for -blocked
/// schemes. For each block b, in FP32:
///
///   amax      = the largest |x| of the block
///   scales[b] = amax / 127
///   codes[i]  = clamp(round(x[i] * (127 / amax)), -127, 127)       round: to nearest, ties to even
///
/// where 127 / amax is rounded before it multiplies: not the division of Grid, but what ggml (Q8_0)
/// and ONNX Runtime (MatMulNBits) do, so that codes are theirs too. Where 127 / amax overflows
/// (amax below 3.74e-37, zero among them) all codes of the block are 0. Throws InputError when a
/// value is not finite or 127 * scales[b] overflows.
void quantize_row_blocked(const float* x, std::int64_t k, std::int64_t block, std::int8_t* codes,
                          float* scales);

}  // namespace qassay
