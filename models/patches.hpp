#pragma once

#include "core/convolution.hpp"
#include "core/matrix_view.hpp"

namespace qassay {

/// The patches of one image[height, width, channels] that the output channels of a group look at,
/// as rows out[out_pixels, k]: with them a convolution is a linear layer (core/convolution.hpp).
void fill_patches(const Convolution& convolution, const float* image, std::int64_t group,
                  Matrix out);

}  // namespace qassay
