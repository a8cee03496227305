#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/quant_matrix.hpp"

namespace qassay::ggml {

/// Weights that share a scale in Q4_0 and Q8_0.
inline constexpr std::int64_t kBlock = 32;

/// Symmetric codes in groups of 32 with FP16 scales as ggml's blocks, row by row, without loss. k
/// is a multiple of 32. A block is the scale in FP16 and
///   Q8_0   32 codes as int8                                            8-bit codes
///   Q4_0   16 bytes, byte i with code i (low) and code i + 16 (high)   4-bit codes, zero 8
std::vector<std::byte> blocks_of(const QuantMatrix& weights);

}  // namespace qassay::ggml
