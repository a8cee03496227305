#include "quantizers/hessian.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {

Hessian::Hessian(std::int64_t inputs, std::string place)
    : inputs_(inputs), place_(std::move(place)), sums_(static_cast<std::size_t>(inputs * inputs)) {}

void Hessian::add(ConstMatrix x) {
  check_rows(x);
  add_gram(x, {sums_.data(), inputs_, inputs_}, omp_get_max_threads());
  rows_ += x.rows;
  check_diagonal();
}

void Hessian::check_rows(ConstMatrix x) const {
  for_each_row(x.rows, [&](std::int64_t row) {
    const float* values = x.row(row);
    if (std::isfinite(largest_magnitude(values, inputs_))) return;
    const float* bad =
        std::find_if(values, values + inputs_, [](float value) { return !std::isfinite(value); });
    throw InputError(fmt::format("{}, row {}, input {}", place_, rows_ + row, bad - values),
                     fmt::format("{} is not a finite number", *bad),
                     "check the model and its calibration data for NaN and infinity");
  });
}

/// No element is larger than the largest of the diagonal (Cauchy and Schwarz).
void Hessian::check_diagonal() const {
  for (std::int64_t i = 0; i < inputs_; ++i) {
    if (std::isfinite(sums_[static_cast<std::size_t>(i * inputs_ + i)])) continue;
    throw InputError(fmt::format("{}, input {}", place_, i), "its squares overflow FP32",
                     "check the model for values out of proportion");
  }
}

}  // namespace qassay
