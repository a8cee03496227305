#include "quantizers/hessian.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "core/error.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/input_check.hpp"

namespace qassay {

Hessian::Hessian(std::int64_t inputs, std::string place)
    : inputs_(inputs),
      place_(std::move(place)),
      sums_(static_cast<std::size_t>(inputs * inputs) * sizeof(double)) {}

void Hessian::add(ConstMatrix x) {
  check_inputs(x, rows_, place_);
  add_gram(x, {sums_.as<double>(), inputs_, inputs_}, omp_get_max_threads());
  rows_ += x.rows;
  check_diagonal();
}

/// No element is larger than the largest of the diagonal (Cauchy and Schwarz).
void Hessian::check_diagonal() const {
  for (std::int64_t i = 0; i < inputs_; ++i) {
    if (std::isfinite(sums().row(i)[i])) continue;
    throw InputError(fmt::format("{}, input {}", place_, i), "its squares overflow FP32",
                     "check the model for values out of proportion");
  }
}

}  // namespace qassay
