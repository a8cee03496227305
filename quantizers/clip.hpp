#pragma once

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// Weights W[n,k] on integer grids whose range is clipped where that makes the sum of squared
/// errors least: for every tensor, row or block, of the ranges from its extremes times 1.00, 0.99,
/// ... 0.20 the best one, the wider one of equals. Never worse than round_to_nearest() in that sum
/// (the choice by MSE of Nagel et al. 2021, arXiv:2106.08295, section 2.3.2). Errors as those of
/// quantize_integers(). The same for any number of threads.
QuantMatrix quantize_clipped(ConstMatrix weights, const Scheme& scheme);

}  // namespace qassay
