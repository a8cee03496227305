#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/gptq.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kInputsPerRow = 8;  // fewer rows than a k-th of it say too little

void check_diagonal(MatrixView<const double> h, std::string_view place) {
  for (std::int64_t i = 0; i < h.rows; ++i) {
    const double value = h.row(i)[i];
    if (std::isfinite(value) && value >= 0) continue;
    throw InputError(fmt::format("{}, input {}", place, i),
                     fmt::format("{} is no sum of squares", value),
                     "check the model and its calibration data for NaN and infinity");
  }
}

/// Of the inputs that are not dead.
double mean_diagonal(MatrixView<const double> h) {
  double sum = 0;
  std::int64_t live = 0;
  for (std::int64_t i = 0; i < h.rows; ++i) {
    sum += h.row(i)[i];
    live += h.row(i)[i] > 0 ? 1 : 0;
  }
  return live == 0 ? 0 : sum / static_cast<double>(live);
}

/// The Hessian in the plan's order, damped by so much, on and below the diagonal. Dead inputs have
/// no products with others; any element on the diagonal keeps them apart.
void fill_damped(MatrixView<const double> h, const std::vector<std::int64_t>& order, double damping,
                 MatrixView<double> out) {
  for_each_row(out.rows, [&](std::int64_t i) {
    const std::int64_t row = order[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < i; ++j) {
      const std::int64_t col = order[static_cast<std::size_t>(j)];
      out.row(i)[j] = h.row(std::max(row, col))[std::min(row, col)];
    }
    const double diagonal = h.row(row)[row];
    out.row(i)[i] = diagonal == 0 ? 1 : diagonal + damping;
  });
}

bool is_finite(ConstMatrix upper) {
  std::vector<char> finite(static_cast<std::size_t>(upper.rows));
  for_each_row(upper.rows, [&](std::int64_t i) {
    finite[static_cast<std::size_t>(i)] =
        std::isfinite(largest_magnitude(upper.row(i) + i, upper.cols - i)) ? 1 : 0;
  });
  return std::find(finite.begin(), finite.end(), 0) == finite.end();
}

/// Raises the damping until there is a factor, or says that there is none.
void factor_hessian(MatrixView<const double> h, GptqPlan& plan) {
  const std::int64_t k = h.rows;
  const double mean = mean_diagonal(h);
  const auto size = static_cast<std::size_t>(k * k);
  const auto damped = std::make_unique_for_overwrite<double[]>(size);
  plan.factor = std::make_unique_for_overwrite<float[]>(size);
  plan.damping = plan.options.damping;
  while (true) {
    fill_damped(h, plan.order, plan.damping * mean, {damped.get(), k, k});
    const bool factored =
        inverse_cholesky({damped.get(), k, k}, {plan.factor.get(), k, k}, omp_get_max_threads());
    if (factored && is_finite(plan.factor_matrix())) return;
    if (plan.damping >= 1) break;
    plan.damping = std::min(1.0, plan.damping * 10);
    ++plan.escalations;
  }
  plan.fell_back = true;
  plan.factor.reset();
}

}  // namespace

GptqPlan plan_gptq(const Hessian& hessian, const GptqOptions& options) {
  const std::int64_t k = hessian.inputs();
  if (hessian.rows() * kInputsPerRow < k) {
    throw InputError(hessian.place(),
                     fmt::format("{} rows for a layer of {} inputs", hessian.rows(), k),
                     fmt::format("calibrate with at least {} rows, better with more than {}",
                                 (k + kInputsPerRow - 1) / kInputsPerRow, k));
  }
  return plan_gptq(hessian.sums(), options, hessian.place());
}

GptqPlan plan_gptq(MatrixView<const double> h, const GptqOptions& options, std::string_view place) {
  check_diagonal(h, place);
  GptqPlan plan;
  plan.options = options;
  plan.order.resize(static_cast<std::size_t>(h.rows));
  std::iota(plan.order.begin(), plan.order.end(), 0);
  for (const std::int64_t i : plan.order) {
    if (h.row(i)[i] == 0) plan.dead.push_back(i);
  }
  if (options.act_order) {
    std::stable_sort(plan.order.begin(), plan.order.end(),
                     [&](std::int64_t a, std::int64_t b) { return h.row(a)[a] > h.row(b)[b]; });
  }
  factor_hessian(h, plan);
  return plan;
}

}  // namespace qassay
