#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/quant_matrix.hpp"

namespace qassay {

/// Symmetric 8-bit codes, whose zero is 128, as signed numbers.
inline std::vector<std::int8_t> signed_codes(const QuantMatrix& weights) {
  const int zero = weights.zero_point(0);
  std::vector<std::int8_t> codes(weights.codes.size());
  std::ranges::transform(weights.codes, codes.begin(), [zero](std::uint8_t code) {
    return static_cast<std::int8_t>(code - zero);
  });
  return codes;
}

}  // namespace qassay
