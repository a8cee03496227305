#pragma once

#include <cstdint>
#include <vector>

#include "core/quant_matrix.hpp"

namespace qassay::cuda {

/// Weights W[n,k] of 4 or 8 bits in groups, as layout.h has them.
struct PackedCodes {
  std::int64_t blocks = 0, lines = 0, groups = 0;  // of 16 channels; of 64 k; of a channel
  std::vector<std::uint32_t> words;
  std::vector<std::uint16_t> scales;  // FP16
  std::vector<std::uint8_t> zeros;    // none of symmetric weights

  /// On the device.
  std::size_t bytes() const { return words.size() * 4 + scales.size() * 2 + zeros.size(); }
};

/// Precondition: 4 or 8 bits, groups of 32, 64 or 128 with FP16 scales.
PackedCodes pack_codes(const QuantMatrix& weights, int threads);

}  // namespace qassay::cuda
