#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
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

constexpr std::int64_t kFactorTile = 256;
constexpr std::int64_t kInverseTile = 256;

int to_int(std::int64_t value) { return static_cast<int>(value); }

/// Turns rows and columns of a[n,n] round, so that the first becomes the last: what was given on
/// and below the diagonal is on and above it then.
void reverse_order(MatrixView<double> a, int threads) {
  const std::int64_t n = a.rows;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
  for (std::int64_t i = 0; i < n; ++i) {
    const double* from = a.row(n - 1 - i);
    for (std::int64_t j = i + 1; j < n; ++j) a.row(i)[j] = from[n - 1 - j];
    if (i < n / 2) std::swap(a.row(i)[i], a.row(n - 1 - i)[n - 1 - i]);
  }
}

/// Takes the products of the rows [first, first + rows) of the factor off what lies below them.
void update_trailing(MatrixView<double> a, std::int64_t first, std::int64_t rows, int threads) {
  const std::int64_t rest = first + rows;
  const int stride = to_int(a.stride);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t row = rest; row < a.rows; row += kFactorTile) {
    const std::int64_t height = std::min(kFactorTile, a.rows - row);
    const std::int64_t behind = row + height;
    const double* left = a.row(first) + row;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, to_int(height), to_int(rows), -1.0, left,
                stride, 1.0, a.row(row) + row, stride);
    if (behind == a.rows) continue;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, to_int(height), to_int(a.rows - behind),
                to_int(rows), -1.0, left, stride, a.row(first) + behind, stride, 1.0,
                a.row(row) + behind, stride);
  }
}

/// a = R^T R for a given on and above the diagonal, which R replaces. False where there is none.
bool factorize(MatrixView<double> a, int threads) {
  const int stride = to_int(a.stride);
  for (std::int64_t first = 0; first < a.rows; first += kFactorTile) {
    const std::int64_t rows = std::min(kFactorTile, a.rows - first);
    double* diagonal = a.row(first) + first;
    const char lower = 'L';  // row-major above the diagonal is column-major below it
    const int size = to_int(rows);
    int info = 0;
    dpotrf_(&lower, &size, diagonal, &stride, &info);
    if (info != 0) return false;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (std::int64_t col = first + rows; col < a.rows; col += kFactorTile) {
      cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, size,
                  to_int(std::min(kFactorTile, a.rows - col)), 1.0, diagonal, stride,
                  a.row(first) + col, stride);
    }
    update_trailing(a, first, rows, threads);
  }
  return true;
}

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

void subtract_product(ConstMatrix a, ConstMatrix b, Matrix c) {
  const OneThreadPerCall guard;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, to_int(c.rows), to_int(c.cols),
              to_int(a.cols), -1.0F, a.data, to_int(a.stride), b.data, to_int(b.stride), 1.0F,
              c.data, to_int(c.stride));
}

// With J the reversal of order and J a J = R^T R, R upper triangular: inverse(a) = U^T U for
// U = J inverse(R^T) J, which is upper triangular too. So one factorization and one triangular
// inverse do, and inverse(a) itself is never formed.
bool inverse_cholesky(MatrixView<double> a, Matrix factor, int threads) {
  const OneThreadPerCall guard;
  const std::int64_t n = a.rows;
  reverse_order(a, threads);
  if (!factorize(a, threads)) return false;
#pragma omp parallel num_threads(threads)
  {
    std::vector<double> columns(static_cast<std::size_t>(n * kInverseTile));
#pragma omp for schedule(dynamic)
    for (std::int64_t first = 0; first < n; first += kInverseTile) {
      const std::int64_t width = std::min(kInverseTile, n - first);
      const std::int64_t height = n - first;  // above, the inverse is zero
      std::fill_n(columns.begin(), height * width, 0.0);
      for (std::int64_t i = 0; i < width; ++i) {
        columns[static_cast<std::size_t>(i * width + i)] = 1.0;
      }
      cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, to_int(height),
                  to_int(width), 1.0, a.row(first) + first, to_int(a.stride), columns.data(),
                  to_int(width));
      for (std::int64_t i = 0; i < height; ++i) {
        const std::int64_t row = first + i;
        const double diagonal = a.row(row)[row];  // its inverse is on the diagonal of U
        float* out = factor.row(n - 1 - row) + (n - 1 - first);
        for (std::int64_t j = 0; j < std::min(width, i + 1); ++j) {
          out[-j] = static_cast<float>(columns[static_cast<std::size_t>(i * width + j)] * diagonal);
        }
      }
    }
  }
  return true;
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
