#pragma once

#include <cstdint>

#include "core/quant_matrix.hpp"

namespace qassay {

/// The most products of an unsigned and a signed 8-bit code that an int32 surely holds:
/// 255 * 128 * 65,793 = 2^31 - 128.
inline constexpr std::int64_t kLongestSum = 65'793;

/// Products that are summed before a scale is applied.
inline std::int64_t sum_length(const NumberFormat& weights, std::int64_t k) {
  return weights.per == Granularity::block ? weights.block : k;
}

}  // namespace qassay
