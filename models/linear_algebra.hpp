#pragma once

#include <optional>

#include "core/error.hpp"
#include "core/matrix_view.hpp"

namespace qassay {

/// The few dense operations that fitting and quantizing a model need, by OpenBLAS. Equal bits for
/// equal arguments on one kind of CPU whatever `threads` is: the work is cut into tiles of a fixed
/// size, and each tile is one library call on one thread. (The library's own threads would cut it
/// by their number.)

/// Why this build has none of them, or nothing. They throw std::logic_error where it has.
std::optional<Refusal> linear_algebra_missing();

/// y[m,n] = x[m,k] * w[n,k]^T
void multiply_transposed(ConstMatrix x, ConstMatrix w, Matrix y, int threads);

/// gram[k,k] += z[m,k]^T * z[m,k], on and below the diagonal. The products of one call are summed
/// in float, the calls in double.
void add_gram(ConstMatrix z, MatrixView<double> gram, int threads);

/// c[m,n] -= a[m,k] * b[k,n], in float: one library call on the calling thread, for those who cut
/// the work into tiles themselves.
void subtract_product(ConstMatrix a, ConstMatrix b, Matrix c);

/// For a symmetric, positive definite a[n,n], given on and below the diagonal: the upper triangular
/// U with inverse(a) = U^T U, each row divided by its element on the diagonal, rounded to float.
/// `factor[n,n]` gets it on and above the diagonal; what lies below is left as it is. Computed in
/// double; `a`, without gaps between rows, is destroyed. False, and no factor, where a is not
/// positive definite.
bool inverse_cholesky(MatrixView<double> a, Matrix factor, int threads);

/// Solves a * x = b for each row b of `rhs[r,n]`, which x replaces. `a[n,n]`: symmetric, positive
/// definite, given on and below the diagonal; destroyed. Both without gaps between rows. Throws
/// std::runtime_error when a is not positive definite.
void solve_positive_definite(MatrixView<double> a, MatrixView<double> rhs);

}  // namespace qassay
