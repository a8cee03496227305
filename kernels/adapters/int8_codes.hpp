#pragma once

#include <cstdint>
#include <vector>

#include "core/quant_matrix.hpp"

namespace qassay {

/// Symmetric 8-bit codes, whose zero is 128, as signed numbers.
inline std::vector<std::int8_t> signed_codes(const QuantMatrix& weights) {
  std::vector<std::int8_t> codes;
  codes.reserve(weights.codes.size());
  for (const std::uint8_t code : weights.codes)
    codes.push_back(static_cast<std::int8_t>(code - weights.zero_point(0)));
  return codes;
}

}  // namespace qassay
