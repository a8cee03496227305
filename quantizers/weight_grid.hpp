#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "core/extremes.hpp"
#include "core/grid.hpp"
#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

// What all methods share that put weights on integer grids.

/// Finds the grid for weights that share one: a block of a row, a row, or the whole tensor. All are
/// finite. `place` is for its errors.
using FitGrid =
    std::function<Grid(ConstMatrix block, const NumberFormat& format, std::string_view place)>;

/// Weights W[n,k] on the grids that `fit` finds, each at its nearest code. Rows are taken in
/// parallel; the result does not depend on the number of threads. Throws InputError naming row and
/// column for weights that are not finite, for empty weights and for schemes that are not integers.
QuantMatrix quantize_integers(ConstMatrix weights, const Scheme& scheme, const FitGrid& fit);

/// A QuantMatrix for W[n,k] with its arrays sized and nothing in them. Throws as above for the
/// shape and the scheme.
QuantMatrix integer_matrix(std::int64_t n, std::int64_t k, const Scheme& scheme);

/// Throws InputError when a matrix has no rows or no columns.
void check_not_empty(std::int64_t n, std::int64_t k);

/// Throws InputError naming row and column when one of the k weights of a row is not finite.
void check_finite(const float* x, std::int64_t k, std::int64_t row);

/// The grid of the format's kind from the smallest to the largest weight: symmetric or not.
Grid min_max_grid(Extremes range, const NumberFormat& format, std::string_view place);

/// The smallest and the largest value of a block.
Extremes block_extremes(ConstMatrix block);

/// Weights along k that share a grid: the format's block, or a row of k.
std::int64_t block_size(const NumberFormat& format, std::int64_t k);

/// Writes a grid at an index of scales and zero points, and reads it back.
void store_grid(const Grid& grid, std::size_t index, QuantMatrix& out);
Grid stored_grid(const QuantMatrix& weights, std::size_t index);

}  // namespace qassay
