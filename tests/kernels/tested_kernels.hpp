#pragma once

#include <string_view>
#include <vector>

#include "kernels/kernel.hpp"

namespace qassay {

/// Kernels beside the table: those for AVX-VNNI as processors with AVX512-VNNI run them.
const std::vector<const Kernel*>& evex_rows();

/// The rows of the table and the kernels beside it whose names begin so.
std::vector<const Kernel*> tested_kernels(std::string_view prefix);

}  // namespace qassay
