#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/convolution.hpp"
#include "core/grid.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// The arithmetic of activations with a calibrated range ("a8t"), for all kernels that follow it:
/// kernels/reference/conv_reference.cpp states it.

/// What is added to the scaled sums of an output channel, n numbers:
///   offset[n] = float(bias[n] - input.scale * (input.zero - 128) * sum over k of value(w[n,k]))
/// in double. `bias`: n values, or empty.
std::vector<float> static_offsets(const QuantMatrix& weights, std::span<const float> bias);

/// What is written for the code of a number.
enum class CodeForm : std::uint8_t {
  as_unsigned = 0,
  as_signed = 0x80,  // code - 128, as an int8: the highest bit turned over
};

/// The codes of images, rows of x, with a border of `border` pixels that stand for zero on all
/// sides: codes[x.rows][height + 2 border][width + 2 border][channels]. Throws InputError when a
/// number is not finite.
void quantize_images(ConstMatrix x, const Convolution& convolution, std::int64_t border,
                     const Grid& input, CodeForm form, int threads, std::uint8_t* codes);

/// The error of activations that are not finite.
[[noreturn]] void refuse_not_finite();

}  // namespace qassay
