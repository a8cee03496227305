#pragma once

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// The second search of AWQ (Lin et al. 2023, arXiv:2306.00978, section 5.1): weights W[n,k] on
/// grids whose range is clipped where that makes the layer's output better on a sample of its input
/// rows X[m,k]. For every group of every row, of the ranges from its extremes times 1.00, 0.95, ...
/// 0.55 the one with the least
///
///   sum over the rows x of (sum over the group's columns of x_j (w_j - value_j))^2
///
/// and the wider one of equals; a tensor's range is one for all of it. Never worse than
/// round_to_nearest() in that sum. (Published results leave the layers of queries and keys alone,
/// whose outputs meet each other.) Throws InputError as quantize_integers() does, and when there is
/// no row. The same for any number of threads. Precondition: this build has linear algebra.
QuantMatrix quantize_awq_clipped(ConstMatrix weights, ConstMatrix inputs, const Scheme& scheme);

}  // namespace qassay
