#pragma once

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// Half-quadratic quantization (Badri and Shaji 2023, "Half-Quadratic Quantization of Large Machine
/// Learning Models"), which needs no data: grids that make  sum |w - value(code)|^p  small for
/// p = 0.7, where large errors count for less than in squares. From the min-max grid of a tensor,
/// row or block, at most 20 times:
///
///   r = w - value(code)                               errors, in steps of the first grid
///   e = sign(r) max(|r| - |r|^(p-1) / beta, 0)        what is taken for outliers; beta: 10, times
///                                                     1.01 each time
///   the grid that fits w - e at these codes in least squares
///
/// until the sum no longer falls; the best grid stays, so the result is never worse than
/// round_to_nearest() in that sum. Two things differ from the publication, whose zero points are
/// real numbers: they are rounded, and scales are fitted too, the only freedom that symmetric
/// grids have. Errors as those of quantize_integers(). The same for any number of threads.
QuantMatrix hqq(ConstMatrix weights, const Scheme& scheme);

}  // namespace qassay
