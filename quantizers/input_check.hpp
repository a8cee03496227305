#pragma once

#include <cstdint>
#include <string_view>

#include "core/matrix_view.hpp"

namespace qassay {

/// Throws InputError naming place, row and input column when one of a layer's calibration inputs
/// x[m,k] is not finite. `rows_before`: of the batches before this one, for the row's number.
void check_inputs(ConstMatrix x, std::int64_t rows_before, std::string_view place);

}  // namespace qassay
