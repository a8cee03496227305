#pragma once

#include <vector>

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// Weights W[n,k] in any scheme, each rounded to the nearest number of the scheme's format. Integer
/// grids (core/grid.hpp) span the smallest and largest weight of each tensor, row or block; a short
/// last block, or a k below the block, has a grid of its own. The result does not depend on the
/// number of threads.
///
/// Throws InputError naming row and column for weights that are not finite or overflow FP16 or
/// BF16, naming the row for a scale that overflows FP16, and for empty weights.
QuantMatrix round_to_nearest(ConstMatrix weights, const Scheme& scheme);

/// The values that the weights stand for, n * k of them, row-major.
std::vector<float> dequantize(const QuantMatrix& weights);

}  // namespace qassay
