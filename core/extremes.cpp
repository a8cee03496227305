#include "core/extremes.hpp"

#include <algorithm>
#include <bit>

namespace qassay {
namespace {

constexpr std::int32_t kMagnitudeBits = 0x7FFFFFFF;

/// A signed integer that is ordered as the numbers are, with NaN outside the infinities; its own
/// inverse. Integer maxima vectorize and carry NaN along, floating ones do neither.
std::int32_t ordered(std::int32_t bits) { return bits ^ ((bits >> 31) & kMagnitudeBits); }

}  // namespace

float largest_magnitude(const float* x, std::int64_t n) {
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & kMagnitudeBits);
  }
  return std::bit_cast<float>(largest);
}

Extremes extremes(const float* x, std::int64_t n) {
  if (n == 0) return {};
  std::int32_t smallest = ordered(std::bit_cast<std::int32_t>(x[0]));
  std::int32_t largest = smallest;
  for (std::int64_t i = 1; i < n; ++i) {
    const std::int32_t value = ordered(std::bit_cast<std::int32_t>(x[i]));
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
  }
  return {std::bit_cast<float>(ordered(smallest)), std::bit_cast<float>(ordered(largest))};
}

}  // namespace qassay
