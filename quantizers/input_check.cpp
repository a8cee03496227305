#include "quantizers/input_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {

void check_inputs(ConstMatrix x, std::int64_t rows_before, std::string_view place) {
  for_each_row(x.rows, [&](std::int64_t row) {
    const float* values = x.row(row);
    if (std::isfinite(largest_magnitude(values, x.cols))) return;
    const float* bad =
        std::find_if(values, values + x.cols, [](float value) { return !std::isfinite(value); });
    throw InputError(fmt::format("{}, row {}, input {}", place, rows_before + row, bad - values),
                     fmt::format("{} is not a finite number", *bad),
                     "check the model and its calibration data for NaN and infinity");
  });
}

}  // namespace qassay
