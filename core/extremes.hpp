#pragma once

#include <cstdint>

namespace qassay {

/// The largest |x[i]| of n values, 0 when n is 0. A NaN counts as larger than infinity, so one
/// std::isfinite of the result speaks for all values.
float largest_magnitude(const float* x, std::int64_t n);

struct Extremes {
  float min = 0;
  float max = 0;
};

/// The smallest and the largest of n values, both 0 when n is 0. A NaN counts as beyond the
/// infinity of its sign, so all values are finite exactly when both results are.
Extremes extremes(const float* x, std::int64_t n);

}  // namespace qassay
