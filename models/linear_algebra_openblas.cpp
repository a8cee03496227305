#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "models/linear_algebra.hpp"

// LAPACK's Cholesky factorization and its solver: Fortran symbols, column-major, by reference.
extern "C" {
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info);
void dpotrs_(const char* uplo, const int* n, const int* nrhs, const double* a, const int* lda,
             double* b, const int* ldb, int* info);
}

namespace qassay {
namespace {

/// While it lives, calls of OpenBLAS on this thread and in parallel regions that it starts use one
/// thread each: the library's OpenMP build obeys this setting.
class OneThreadPerCall {
 public:
  OneThreadPerCall() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThreadPerCall() { omp_set_num_threads(before_); }
  OneThreadPerCall(const OneThreadPerCall&) = delete;
  OneThreadPerCall& operator=(const OneThreadPerCall&) = delete;

 private:
  int before_;
};

constexpr std::int64_t kRowTile = 256;
constexpr std::int64_t kGramTile = 512;

int to_int(std::int64_t value) { return static_cast<int>(value); }

}  // namespace

std::optional<Refusal> linear_algebra_missing() { return std::nullopt; }

void multiply_transposed(ConstMatrix x, ConstMatrix w, Matrix y, int threads) {
  const OneThreadPerCall guard;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t first = 0; first < x.rows; first += kRowTile) {
    const std::int64_t rows = std::min(kRowTile, x.rows - first);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, to_int(rows), to_int(w.rows),
                to_int(w.cols), 1.0F, x.row(first), to_int(x.stride), w.data, to_int(w.stride),
                0.0F, y.row(first), to_int(y.stride));
  }
}

void add_gram(ConstMatrix z, MatrixView<double> gram, int threads) {
  struct Tile {
    std::int64_t row, col;
  };
  std::vector<Tile> tiles;
  for (std::int64_t row = 0; row < z.cols; row += kGramTile) {
    for (std::int64_t col = 0; col <= row; col += kGramTile) tiles.push_back({row, col});
  }
  const OneThreadPerCall guard;
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> products(kGramTile * kGramTile);
#pragma omp for schedule(dynamic)
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      const auto [row, col] = tiles[t];
      const std::int64_t rows = std::min(kGramTile, z.cols - row);
      const std::int64_t cols = std::min(kGramTile, z.cols - col);
      if (row == col) {  // half of the work
        cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, to_int(rows), to_int(z.rows), 1.0F,
                    z.data + row, to_int(z.stride), 0.0F, products.data(), to_int(kGramTile));
      } else {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, to_int(rows), to_int(cols),
                    to_int(z.rows), 1.0F, z.data + row, to_int(z.stride), z.data + col,
                    to_int(z.stride), 0.0F, products.data(), to_int(kGramTile));
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < (row == col ? i + 1 : cols); ++j) {
          gram.row(row + i)[col + j] += products[static_cast<std::size_t>(i * kGramTile + j)];
        }
      }
    }
  }
}

void solve_positive_definite(MatrixView<double> a, MatrixView<double> rhs) {
  const OneThreadPerCall guard;
  // Row-major below the diagonal is column-major above it.
  const char upper = 'U';
  const int n = to_int(a.rows);
  const int columns = to_int(rhs.rows);
  int info = 0;
  dpotrf_(&upper, &n, a.data, &n, &info);
  if (info == 0) dpotrs_(&upper, &n, &columns, a.data, &n, rhs.data, &n, &info);
  if (info != 0) throw std::runtime_error("a system of equations is not positive definite");
}

}  // namespace qassay
