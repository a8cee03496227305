#pragma once

#include <vector>

#include "core/matrix_view.hpp"
#include "quantizers/hessian.hpp"

namespace qassay {

/// Measures errors D[n,k] of a layer's weights by what they do to its output on rows of input
/// X[m,k]: for each row d of D,  sum over x of (x . d)^2 = d X^T X d^T.  By X or by X^T X,
/// whichever is smaller; products are in float, sums over a row in double. The same for any number
/// of threads. Precondition: this build has linear algebra.
class InputMetric {
 public:
  /// By rows of input, which must outlive this.
  explicit InputMetric(ConstMatrix inputs);
  /// By the sums of a Hessian, in a scale of their own: the largest X^T X is 1.
  explicit InputMetric(const Hessian& hessian);

  std::vector<double> row_energies(ConstMatrix errors) const;

 private:
  bool is_gram_;
  ConstMatrix matrix_;
  std::vector<float> gram_;
};

}  // namespace qassay
