#include "quantizers/value_histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/error.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kChunk = 1 << 18;  // values worth a thread and counters of its own
constexpr int kBinsExponent = 13;
static_assert(ValueHistogram::kBins == 1 << kBinsExponent);

struct Counts {
  std::int64_t zeros = 0;
  std::vector<std::int64_t> positive, negative;
};

Counts count_values(const float* x, std::int64_t n, double bins_per_unit) {
  const auto bins = static_cast<std::size_t>(ValueHistogram::kBins);
  Counts counts{0, std::vector<std::int64_t>(bins), std::vector<std::int64_t>(bins)};
  for (std::int64_t i = 0; i < n; ++i) {
    if (x[i] == 0) {
      ++counts.zeros;
      continue;
    }
    // Exact: a product with a power of two, in double.
    const auto bin = static_cast<std::size_t>(std::fabs(double{x[i]}) * bins_per_unit);
    ++(x[i] > 0 ? counts.positive : counts.negative)[bin];
  }
  return counts;
}

void add_counts(const std::vector<std::int64_t>& from, std::vector<std::int64_t>& to) {
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

/// Makes bins 2^doublings as wide.
void widen(std::vector<std::int64_t>& bins, int doublings) {
  std::vector<std::int64_t> wide(bins.size());
  for (std::size_t i = 0; i < bins.size(); ++i) {
    wide[doublings > kBinsExponent ? 0 : i >> doublings] += bins[i];
  }
  bins = std::move(wide);
}

}  // namespace

void ValueHistogram::add(const float* x, std::int64_t n) {
  const Extremes now = extremes(x, n);
  if (!std::isfinite(now.min) || !std::isfinite(now.max)) {
    throw InputError(place_, "a value is not a finite number",
                     "check the model and its calibration data for NaN and infinity");
  }
  range_ = {std::min(range_.min, now.min), std::max(range_.max, now.max)};
  count_ += n;
  const float largest = std::max(-now.min, now.max);
  if (largest == 0) {
    zeros_ += n;
    return;
  }
  int above = 0;  // the least power of two above the largest magnitude
  std::frexp(largest, &above);
  grow(above - kBinsExponent);
  const double bins_per_unit = std::ldexp(1.0, -exponent_);
  std::vector<Counts> chunks(static_cast<std::size_t>((n + kChunk - 1) / kChunk));
  for_each_row(static_cast<std::int64_t>(chunks.size()), [&](std::int64_t chunk) {
    const std::int64_t begin = chunk * kChunk;
    chunks[static_cast<std::size_t>(chunk)] =
        count_values(x + begin, std::min(kChunk, n - begin), bins_per_unit);
  });
  for (const Counts& counts : chunks) {
    zeros_ += counts.zeros;
    add_counts(counts.positive, positive_);
    add_counts(counts.negative, negative_);
  }
}

void ValueHistogram::merge(const ValueHistogram& other) {
  range_ = {std::min(range_.min, other.range_.min), std::max(range_.max, other.range_.max)};
  count_ += other.count_;
  zeros_ += other.zeros_;
  if (other.positive_.empty()) return;
  grow(other.exponent_);
  ValueHistogram wide = other;
  wide.grow(exponent_);
  add_counts(wide.positive_, positive_);
  add_counts(wide.negative_, negative_);
}

double ValueHistogram::width() const { return positive_.empty() ? 0 : std::ldexp(1.0, exponent_); }

/// Makes bins at least 2^exponent wide.
void ValueHistogram::grow(int exponent) {
  if (positive_.empty()) {
    positive_.resize(static_cast<std::size_t>(kBins));
    negative_.resize(static_cast<std::size_t>(kBins));
    exponent_ = exponent;
  }
  if (exponent <= exponent_) return;
  widen(positive_, exponent - exponent_);
  widen(negative_, exponent - exponent_);
  exponent_ = exponent;
}

bool ValueHistogram::operator==(const ValueHistogram& other) const {
  return count_ == other.count_ && zeros_ == other.zeros_ && range_.min == other.range_.min &&
         range_.max == other.range_.max && exponent_ == other.exponent_ &&
         positive_ == other.positive_ && negative_ == other.negative_;
}

}  // namespace qassay
