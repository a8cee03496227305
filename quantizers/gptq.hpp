#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"
#include "quantizers/hessian.hpp"

namespace qassay {

// GPTQ (Frantar et al. 2022, arXiv:2210.17323): columns are rounded one after the other, and the
// error of each is made up for by the columns that follow, as the Hessian of the layer's squared
// output error says. The steps are those of section 3.3:
//
//   H  damped, dead columns decoupled;  inverse(H) = U^T U, U upper triangular
//   for j = 0 .. k-1:  q_j = the code of w_j;  e = w_j - value(q_j)
//                      w_l -= e * U(j, l) / U(j, j)  for l > j
//
// Columns are taken in blocks of at most 128: inside a block one by one, behind it by one product
// of matrices.

struct GptqOptions {
  double damping = 0.01;     // share of the mean diagonal of H that is added to the diagonal
  bool act_order = false;    // columns by falling diagonal of H, on static grids
  std::int64_t block = 128;  // columns between two products; matters to rounding in FP32 only
};

/// What a Hessian means for all layers that it is the Hessian of (q, k and v share their input).
struct GptqPlan {
  std::vector<std::int64_t> order;  // columns as they are taken
  /// Rows U(j, l) / U(j, j) in that order, [k,k], on and above the diagonal; none if it fell back.
  std::unique_ptr<float[]> factor;
  std::vector<std::int64_t> dead;  // inputs that were always zero, ascending: their weights are 0
  GptqOptions options;
  double damping = 0;      // the share that was used in the end
  int escalations = 0;     // how often it was raised because H was not positive definite
  bool fell_back = false;  // no damping up to 1 helped: the weights are rounded to nearest

  ConstMatrix factor_matrix() const { return {factor.get(), inputs(), inputs()}; }
  std::int64_t inputs() const { return static_cast<std::int64_t>(order.size()); }
};

/// Damping starts at options.damping and is raised tenfold, up to 1, until H can be factored; the
/// scale of H has no part in it. Throws InputError naming the Hessian's place when it rests on
/// fewer than k/8 rows. The same for any number of threads.
GptqPlan plan_gptq(const Hessian& hessian, const GptqOptions& options = {});

/// That for a Hessian h[k,k], of which what lies on and below the diagonal is read. Throws
/// InputError naming `place` and the input whose element of the diagonal is not finite or negative.
GptqPlan plan_gptq(MatrixView<const double> h, const GptqOptions& options = {},
                   std::string_view place = "Hessian");

/// Weights W[n,k] in a scheme of integers. Grids are min-max grids of the weights of a tensor or a
/// row. Those of a block are fitted when its first column is reached, to what its columns are then,
/// wherever that is in a block of 128; with act_order beforehand (static groups), so that the
/// order of the columns leaves no trace in the result. Throws InputError for weights that are not
/// finite or empty, for other schemes, and where a scale overflows FP16. The same for any number of
/// threads. Precondition: k = plan.inputs().
QuantMatrix gptq(ConstMatrix weights, const GptqPlan& plan, const Scheme& scheme);

}  // namespace qassay
