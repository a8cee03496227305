#include "quantizers/range_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/grid.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kThresholds = 512;
constexpr int kRangeBits = 8;
constexpr std::size_t kLevels = 1U << kRangeBits;
constexpr std::string_view kPercentilePrefix = "percentile-";

[[noreturn]] void refuse_choice(std::string_view place, std::string_view text) {
  throw InputError(place, fmt::format("range '{}' is not known", text),
                   "write minmax, percentile-<P> with P above 0 and at most 100, mse or entropy");
}

/// The bins of both sides, from the most negative to the most positive that the values reach.
struct SignedBins {
  explicit SignedBins(const ValueHistogram& values) : width(values.width()), range(values.range()) {
    if (width == 0) return;
    below = used(-double{range.min});
    above = used(range.max);
    for (std::int64_t i = below; i-- > 0;) counts.push_back(at(values.negative(), i));
    for (std::int64_t i = 0; i < above; ++i) counts.push_back(at(values.positive(), i));
  }

  /// The most bins on a side.
  std::int64_t reach() const { return std::max(below, above); }
  std::size_t first(std::int64_t threshold) const {
    return static_cast<std::size_t>(below - std::min(below, threshold));
  }
  std::size_t last(std::int64_t threshold) const {
    return static_cast<std::size_t>(below + std::min(above, threshold));
  }
  /// [min, max] cut at so many bins on each side.
  Extremes cut(std::int64_t threshold) const {
    const double t = static_cast<double>(threshold) * width;
    return {static_cast<float>(std::max(double{range.min}, -t)),
            static_cast<float>(std::min(double{range.max}, t))};
  }

  double width;
  Extremes range;
  std::int64_t below = 0, above = 0;
  std::vector<double> counts;

 private:
  static double at(const std::vector<std::int64_t>& bins, std::int64_t i) {
    return static_cast<double>(bins[static_cast<std::size_t>(i)]);
  }
  /// Bins up to the one that a magnitude is in; none for zero.
  std::int64_t used(double magnitude) const {
    return magnitude > 0 ? static_cast<std::int64_t>(magnitude / width) + 1 : 0;
  }
};

Extremes percentile_range(const ValueHistogram& values, const SignedBins& bins, double percentile) {
  const double wanted = percentile * static_cast<double>(values.count());
  auto below = static_cast<double>(values.zeros());
  for (std::int64_t t = 0; t < bins.reach(); ++t) {
    if (100 * below >= wanted) return bins.cut(t);
    if (t < bins.below) below += bins.counts[bins.first(t + 1)];
    if (t < bins.above) below += bins.counts[bins.last(t + 1) - 1];
  }
  return bins.range;
}

/// Where the bins' values lie: in their middles, but within the range.
std::vector<float> middles(const SignedBins& bins) {
  std::vector<float> values;
  for (std::int64_t i = -bins.below; i < bins.above; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * bins.width;
    values.push_back(
        static_cast<float>(std::clamp(middle, double{bins.range.min}, double{bins.range.max})));
  }
  return values;
}

double squared_error(const SignedBins& bins, const std::vector<float>& values, Extremes range) {
  const Grid grid = asymmetric_grid(range.min, range.max, kRangeBits, DType::f32, "range");
  std::vector<std::uint8_t> codes(values.size());
  quantize_block(values.data(), static_cast<std::int64_t>(values.size()), grid, codes.data());
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = double{values[i]} - static_cast<double>(codes[i] - grid.zero) * grid.scale;
    sum += bins.counts[i] * error * error;
  }
  return sum;
}

/// KL(P | Q) of the bins [first, last): P their counts, with those beyond put at both ends; Q the
/// counts, averaged over each level's bins where P is not empty. Infinite where Q misses what P
/// has.
double divergence(const std::vector<double>& counts, std::size_t first, std::size_t last) {
  std::vector<double> p(counts.begin() + static_cast<std::ptrdiff_t>(first),
                        counts.begin() + static_cast<std::ptrdiff_t>(last));
  const std::vector<double> inside = p;
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double kept = std::accumulate(inside.begin(), inside.end(), 0.0);
  p.front() +=
      std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(first), 0.0);
  p.back() +=
      std::accumulate(counts.begin() + static_cast<std::ptrdiff_t>(last), counts.end(), 0.0);
  double sum = 0;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::size_t begin = level * p.size() / kLevels, end = (level + 1) * p.size() / kLevels;
    double mass = 0, filled = 0;
    for (std::size_t i = begin; i < end; ++i) {
      mass += inside[i];
      filled += p[i] > 0 ? 1 : 0;
    }
    if (filled == 0) continue;
    if (mass == 0) return std::numeric_limits<double>::infinity();
    const double q = mass / filled / kept;
    for (std::size_t i = begin; i < end; ++i) {
      if (p[i] > 0) sum += p[i] / total * std::log(p[i] / total / q);
    }
  }
  return sum;
}

/// The range cut at the threshold of least cost, the widest one of equals. A cost that is infinite
/// is never chosen over the whole range.
template <typename Cost>
Extremes cheapest_range(const SignedBins& bins, const Cost& cost) {
  std::int64_t best = bins.reach();
  double least = cost(best);
  for (std::int64_t i = kThresholds - 1; i > 0; --i) {
    const std::int64_t threshold = bins.reach() * i / kThresholds;
    if (threshold == 0) break;
    const double here = cost(threshold);
    if (!(here < least)) continue;
    best = threshold;
    least = here;
  }
  return bins.cut(best);
}

/// With the side that reaches further last, so that mirror images have mirrored ranges: rounding
/// where levels begin would tell them apart.
Extremes entropy_range(const SignedBins& bins) {
  const bool turned = bins.below > bins.above;
  std::vector<double> counts = bins.counts;
  if (turned) std::reverse(counts.begin(), counts.end());
  return cheapest_range(bins, [&](std::int64_t threshold) {
    std::size_t first = bins.first(threshold), last = bins.last(threshold);
    if (last - first < kLevels) return std::numeric_limits<double>::infinity();
    if (turned) {
      first = counts.size() - std::exchange(last, counts.size() - first);
    }
    return divergence(counts, first, last);
  });
}

}  // namespace

RangeChoice parse_range_choice(std::string_view text, std::string_view place) {
  if (text == "minmax") return {RangeRule::min_max};
  if (text == "mse") return {RangeRule::mse};
  if (text == "entropy") return {RangeRule::entropy};
  if (!text.starts_with(kPercentilePrefix)) refuse_choice(place, text);
  RangeChoice choice{RangeRule::percentile};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + kPercentilePrefix.size(), end,
                                             choice.percentile, std::chars_format::fixed);
  const bool inside = choice.percentile > 0 && choice.percentile <= 100;
  if (error != std::errc{} || rest != end || !inside || to_string(choice) != text) {
    refuse_choice(place, text);
  }
  return choice;
}

std::string to_string(const RangeChoice& choice) {
  switch (choice.rule) {
    case RangeRule::min_max:
      return "minmax";
    case RangeRule::mse:
      return "mse";
    case RangeRule::entropy:
      return "entropy";
    case RangeRule::percentile:
      break;
  }
  return fmt::format("{}{}", kPercentilePrefix, choice.percentile);
}

Extremes choose_range(const ValueHistogram& values, const RangeChoice& choice) {
  const SignedBins bins(values);
  if (bins.counts.empty()) return values.range();
  switch (choice.rule) {
    case RangeRule::min_max:
      break;
    case RangeRule::percentile:
      return percentile_range(values, bins, choice.percentile);
    case RangeRule::mse: {
      const std::vector<float> where = middles(bins);
      return cheapest_range(bins, [&](std::int64_t threshold) {
        return squared_error(bins, where, bins.cut(threshold));
      });
    }
    case RangeRule::entropy:
      return entropy_range(bins);
  }
  return values.range();
}

double squared_error_of_range(const ValueHistogram& values, Extremes range) {
  const SignedBins bins(values);
  if (bins.counts.empty()) return 0;
  return squared_error(bins, middles(bins), range) / static_cast<double>(values.count());
}

}  // namespace qassay
