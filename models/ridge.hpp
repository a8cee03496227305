#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/matrix_view.hpp"

namespace qassay {

/// Ridge regression of one-hot labels on features z, in closed form from sums over the samples
/// (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 3.4.1):
///
///   minimise  sum |V z + c - onehot|^2 + count * ridge * v * |V|^2     v: mean variance of a
///   feature
///
/// The intercept c is not penalised. `ridge` has no unit: it is a share of the features' variance.
class RidgeRegression {
 public:
  RidgeRegression(std::int64_t features, std::int64_t classes);

  /// Adds samples: z[m, features] with m labels below `classes`. The order of the calls matters to
  /// the last bits.
  void add(ConstMatrix z, std::span<const std::uint8_t> labels, int threads);

  struct Solution {
    std::vector<float> weights;  // V[classes, features]
    std::vector<float> bias;     // c[classes]
  };
  /// Throws std::runtime_error when the equations are singular: the ridge is too small.
  Solution solve(double ridge) const;

 private:
  std::int64_t features_;
  std::int64_t classes_;
  std::vector<double> gram_;        // sum of z z^T, [features, features], on and below the diagonal
  std::vector<double> class_sums_;  // sum of z per class, [classes, features]
  std::vector<double> class_count_;  // samples per class
};

}  // namespace qassay
