#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/extremes.hpp"

namespace qassay {

/// How often which values occur: bins of one width on both sides of zero, by magnitude, with the
/// zeros apart. The width is the least power of two for which kBins of them reach the largest
/// magnitude; when it grows, bins are merged in pairs. So the result depends on the values alone,
/// not on how they are cut into batches or how many threads count, and is the mirror image of that
/// of -x.
class ValueHistogram {
 public:
  static constexpr std::int64_t kBins = 8192;  // a side: at least 16 for each of 256 codes

  /// `place` is for errors: what these values are.
  explicit ValueHistogram(std::string place = "values") : place_(std::move(place)) {}

  /// Adds n values. Throws InputError when one is not finite.
  void add(const float* x, std::int64_t n);
  void merge(const ValueHistogram& other);

  std::int64_t count() const { return count_; }
  std::int64_t zeros() const { return zeros_; }
  /// Of all values, and zero.
  Extremes range() const { return range_; }
  /// Of a bin; 0 where there are none.
  double width() const;
  /// Values x with width * i <= |x| < width * (i + 1) and x > 0; and those below zero. Empty, or
  /// kBins numbers.
  const std::vector<std::int64_t>& positive() const { return positive_; }
  const std::vector<std::int64_t>& negative() const { return negative_; }

  /// Equality of everything but the place.
  bool operator==(const ValueHistogram& other) const;

 private:
  void grow(int exponent);

  std::string place_;
  std::int64_t count_ = 0;
  std::int64_t zeros_ = 0;
  Extremes range_;
  int exponent_ = 0;  // width = 2^exponent, where there are bins
  std::vector<std::int64_t> positive_, negative_;
};

}  // namespace qassay
