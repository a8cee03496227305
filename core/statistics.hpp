#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace qassay {

/// An estimate with its two-sided 95 % interval, low <= value <= high. `count`: the independent
/// things it rests on (legs for timings, samples for accuracies, 1 for an exact figure).
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
  std::int64_t count = 0;
};

/// Quantile p in [0, 1] with linear interpolation between order statistics (type 7 of Hyndman and
/// Fan 1996). These three throw std::invalid_argument for no values, for a p outside [0, 1], and
/// the geometric mean for values that are not positive.
double quantile(std::span<const double> values, double p);
double median(std::span<const double> values);
double geometric_mean(std::span<const double> values);

/// Baseline over candidate, from the log(baseline / candidate) of paired rounds, one vector a leg
/// (a fresh process): the median of each leg's rounds, then exp of the legs' mean with Student's t
/// interval at legs - 1 degrees of freedom.
///
/// The legs are the sample, not the rounds: memory placement is fixed for a process's life and
/// shifts all its rounds alike, so an interval over rounds is too narrow by far however many rounds
/// there are. A leg's median is robust against its slow outliers, and the mean of medians is close
/// enough to normal for t.
///
/// No value with fewer than 2 legs; legs without rounds do not count. Throws std::invalid_argument
/// for numbers that are not finite. Serves arm b over arm a of an A/A run as well.
std::optional<Interval> ratio_over_legs(std::span<const std::vector<double>> log_ratios_by_leg);

/// Seconds per call, from the figures of each leg's rounds; the same construction on their logs.
/// Throws std::invalid_argument for seconds that are not positive and finite.
std::optional<Interval> latency_over_legs(std::span<const std::vector<double>> seconds_by_leg);

/// Geometric mean over K independent intervals of the two kinds above (layers that were timed in
/// legs of their own): on the log scale the mean, with the sum of their variances over K^2 and
/// Welch-Satterthwaite degrees of freedom. An interval's standard error is recovered from low,
/// high and its count of legs; one with low == high counts as exact. `count` of the result: K.
/// No value for none. Throws std::invalid_argument for values that are not positive or an interval
/// over fewer than 2 legs that is not exact.
std::optional<Interval> geometric_mean(std::span<const Interval> factors);

/// Two right-or-wrong outcomes of the same samples.
struct PairedCounts {
  std::int64_t both_right = 0;
  std::int64_t lost = 0;  // the baseline right, the candidate wrong
  std::int64_t won = 0;   // the baseline wrong, the candidate right
  std::int64_t both_wrong = 0;

  std::int64_t total() const { return both_right + lost + won + both_wrong; }
};

/// Wilson's (1927) interval of a proportion. No value for no samples.
std::optional<Interval> proportion(std::int64_t successes, std::int64_t total);

/// The baseline's proportion right minus the candidate's (a loss: positive when worse), with the
/// Wald interval after half a sample is added to each of the four cells (Agresti and Min 2005,
/// Statistics in Medicine 24:729). No value for no samples.
std::optional<Interval> paired_loss(const PairedCounts& counts);

/// The candidate's proportion right over the baseline's. The variance of the log ratio is that of
/// the delta method, (b + c) / ((a + b)(a + c)) for a both right, b and c the two kinds of flips
/// (Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850, section 7), with half a
/// sample added to a, b and c so that few or no flips leave an interval. No value where the
/// baseline is never right.
std::optional<Interval> paired_ratio(const PairedCounts& counts);

/// The candidate's error rate over the baseline's: paired_ratio of being wrong.
std::optional<Interval> paired_error_growth(const PairedCounts& counts);

/// The two-sided exact McNemar test (McNemar 1947, Psychometrika 12:153): the probability of flips
/// at least as uneven as these when both kinds are equally likely. 1 without flips.
double mcnemar_p(const PairedCounts& counts);

/// Mean of independent values with Student's t interval. No value for fewer than 2. Throws
/// std::invalid_argument for numbers that are not finite.
std::optional<Interval> mean_interval(std::span<const double> values);

/// Mean of per-sample differences with the percentile bootstrap interval (Efron 1979). The
/// resamples follow from `name` alone. No value for fewer than 2 samples.
std::optional<Interval> bootstrap_mean(std::span<const double> differences, std::string_view name,
                                       int resamples = 2000);

}  // namespace qassay
