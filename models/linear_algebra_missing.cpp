#include <stdexcept>

#include "models/linear_algebra.hpp"

namespace qassay {
namespace {

constexpr const char* kReason = "built without OpenBLAS (package libopenblas-openmp-dev)";

}  // namespace

std::optional<Refusal> linear_algebra_missing() { return Refusal{kReason}; }

void multiply_transposed(ConstMatrix, ConstMatrix, Matrix, int) { throw std::logic_error(kReason); }
void add_gram(ConstMatrix, MatrixView<double>, int) { throw std::logic_error(kReason); }
void subtract_product(ConstMatrix, ConstMatrix, Matrix) { throw std::logic_error(kReason); }
bool inverse_cholesky(MatrixView<double>, Matrix, int) { throw std::logic_error(kReason); }
void solve_positive_definite(MatrixView<double>, MatrixView<double>) {
  throw std::logic_error(kReason);
}

}  // namespace qassay
