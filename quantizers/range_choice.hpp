#pragma once

#include <string>
#include <string_view>

#include "core/extremes.hpp"
#include "quantizers/value_histogram.hpp"

namespace qassay {

enum class RangeRule { min_max, percentile, mse, entropy };

/// How the range of static activations is found from calibration data. All but min-max choose a
/// threshold t on magnitudes; the range is [min, max] cut to [-t, t], so that values of one sign
/// have a range of one side.
///
///   minmax            all values
///   percentile-<P>    t: where a bin of the histogram ends and at least P % of the magnitudes are
///                     below;  0 < P <= 100, and 100 is minmax
///   mse               the t with the least squared error on the 8-bit grid of the range, what is
///                     cut off included, by the middles of the bins
///   entropy           the t whose distribution over the grid's 256 steps is nearest, by
///                     Kullback-Leibler divergence, to that of all values with those beyond t put
///                     at its ends (Migacz 2017, "8-bit inference with TensorRT"). Zeros, which
///                     every grid has, do not count.
///
/// The last two try 512 thresholds up to the largest magnitude, the wider one of equals; entropy
/// those that leave at least 256 bins. parse and print round-trip.
struct RangeChoice {
  RangeRule rule = RangeRule::min_max;
  double percentile = 100;  // of RangeRule::percentile

  bool operator==(const RangeChoice&) const = default;
};

/// Throws InputError naming `place` when the text is no choice.
RangeChoice parse_range_choice(std::string_view text, std::string_view place = "range");
std::string to_string(const RangeChoice& choice);

/// The range, which has 0 in it; {0, 0} where there are no values.
Extremes choose_range(const ValueHistogram& values, const RangeChoice& choice);

/// The mean squared error of the values, each at the middle of its bin, on the 8-bit asymmetric
/// grid of a range: what RangeRule::mse makes least. 0 where there are no values.
double squared_error_of_range(const ValueHistogram& values, Extremes range);

}  // namespace qassay
