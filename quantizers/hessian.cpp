#include "quantizers/hessian.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/error.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/input_check.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {

Hessian::Hessian(std::int64_t inputs, std::string place)
    : inputs_(inputs),
      place_(std::move(place)),
      sums_(std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(inputs * inputs))) {
  // By all threads, for the first touch of a page costs more than what is written there.
  for_each_row(inputs, [&](std::int64_t i) { std::fill_n(sums_.get() + i * inputs_, i + 1, 0.0); });
}

void Hessian::add(ConstMatrix x) {
  check_inputs(x, rows_, place_);
  add_gram(x, {sums_.get(), inputs_, inputs_}, omp_get_max_threads());
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
