#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/matrix_view.hpp"

namespace qassay {

/// The Hessian of a layer's squared output error by the weights of one of its rows, from the rows
/// X[m,k] that calibration data put into the layer:  H = (2/m) X^T X.
///
/// Rows come in batches. Products of one call are summed in float, the calls in double; so a call
/// may well have thousands of rows. Equal batches give equal bits for any number of threads.
/// Precondition: this build has linear algebra (models/linear_algebra.hpp).
class Hessian {
 public:
  /// `inputs`: k. `place` is for errors: which layer's input this is.
  explicit Hessian(std::int64_t inputs, std::string place = "calibration");

  /// Adds rows x[m,k]. Throws InputError naming the input column when a value is not finite or its
  /// square overflows FP32. The sums are then of no use.
  void add(ConstMatrix x);

  std::int64_t inputs() const { return inputs_; }
  std::int64_t rows() const { return rows_; }
  const std::string& place() const { return place_; }
  /// X^T X, [k,k], on and below the diagonal: what uses H does not care for its scale.
  MatrixView<const double> sums() const { return {sums_.get(), inputs_, inputs_}; }

 private:
  void check_diagonal() const;

  std::int64_t inputs_;
  std::int64_t rows_ = 0;
  std::string place_;
  std::unique_ptr<double[]> sums_;
};

}  // namespace qassay
