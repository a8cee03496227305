#include "core/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <stdexcept>

#include "core/seed.hpp"

namespace qassay {
namespace {

constexpr double kTail = 0.025;  // on each side of a 95 % interval

/// Fewer draws cost less than to start and join threads.
constexpr std::size_t kDrawsWorthThreads = 100'000;

void require(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

double critical_t(double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), 1 - kTail);
}

double critical_z() {
  static const double z = boost::math::quantile(boost::math::normal(), 1 - kTail);
  return z;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// exp of the Student interval of the mean of independent logs.
std::optional<Interval> exp_mean_interval(std::span<const double> logs) {
  const std::optional<Interval> of_logs = mean_interval(logs);
  if (!of_logs) return std::nullopt;
  return Interval{std::exp(of_logs->value), std::exp(of_logs->low), std::exp(of_logs->high),
                  of_logs->count};
}

double quantile_of_scratch(std::vector<double>& values, double p) {
  require(!values.empty(), "quantile: no values");
  require(p >= 0 && p <= 1, "quantile: p is not from 0 to 1");
  const double position = p * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(position);
  const auto at = values.begin() + below;
  std::nth_element(values.begin(), at, values.end());
  const double fraction = position - static_cast<double>(below);
  if (fraction == 0) return *at;
  const double next = *std::min_element(at + 1, values.end());
  return *at + fraction * (next - *at);
}

}  // namespace

double quantile(std::span<const double> values, double p) {
  std::vector<double> scratch(values.begin(), values.end());
  return quantile_of_scratch(scratch, p);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double geometric_mean(std::span<const double> values) {
  require(!values.empty(), "geometric_mean: no values");
  double sum = 0;
  for (const double value : values) {
    require(value > 0, "geometric_mean: a value is not positive");
    sum += std::log(value);
  }
  return std::exp(sum / static_cast<double>(values.size()));
}

std::optional<Interval> ratio_over_legs(std::span<const std::vector<double>> log_ratios_by_leg) {
  std::vector<double> legs;
  for (const std::vector<double>& rounds : log_ratios_by_leg) {
    for (const double log : rounds) require(std::isfinite(log), "ratio_over_legs: not finite");
    if (!rounds.empty()) legs.push_back(median(rounds));
  }
  return exp_mean_interval(legs);
}

std::optional<Interval> latency_over_legs(std::span<const std::vector<double>> seconds_by_leg) {
  std::vector<std::vector<double>> logs_by_leg;
  for (const std::vector<double>& rounds : seconds_by_leg) {
    std::vector<double>& logs = logs_by_leg.emplace_back();
    for (const double seconds : rounds) {
      require(seconds > 0 && std::isfinite(seconds), "latency_over_legs: not a time");
      logs.push_back(std::log(seconds));
    }
  }
  return ratio_over_legs(logs_by_leg);
}

std::optional<Interval> geometric_mean(std::span<const Interval> factors) {
  if (factors.empty()) return std::nullopt;
  double sum = 0;
  double variance = 0;
  double variance_of_variance = 0;  // half of it, as Satterthwaite's formula wants it
  for (const Interval& factor : factors) {
    require(factor.low > 0 && factor.low <= factor.value && factor.value <= factor.high &&
                std::isfinite(factor.high),
            "geometric_mean: not an interval of positive numbers");
    sum += std::log(factor.value);
    if (factor.low == factor.high) continue;
    require(factor.count >= 2, "geometric_mean: an interval over fewer than 2 legs");
    const auto freedom = static_cast<double>(factor.count - 1);
    const double error = std::log(factor.high / factor.low) / 2 / critical_t(freedom);
    variance += error * error;
    variance_of_variance += error * error * error * error / freedom;
  }
  const auto count = static_cast<double>(factors.size());
  const double center = sum / count;
  const double reach = variance == 0 ? 0.0
                                     : critical_t(variance * variance / variance_of_variance) *
                                           std::sqrt(variance) / count;
  return Interval{std::exp(center), std::exp(center - reach), std::exp(center + reach),
                  static_cast<std::int64_t>(factors.size())};
}

std::optional<Interval> proportion(std::int64_t successes, std::int64_t total) {
  require(successes >= 0 && successes <= total, "proportion: more successes than samples");
  if (total == 0) return std::nullopt;
  const auto n = static_cast<double>(total);
  const double p = static_cast<double>(successes) / n;
  const double z = critical_z();
  const double weight = 1 + z * z / n;
  const double center = (p + z * z / (2 * n)) / weight;
  const double reach = z / weight * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  // At 0 and n successes an end is p itself; rounding must not put it on the wrong side.
  return Interval{p, std::clamp(center - reach, 0.0, p), std::clamp(center + reach, p, 1.0), total};
}

std::optional<Interval> paired_loss(const PairedCounts& counts) {
  if (counts.total() == 0) return std::nullopt;
  const auto difference = static_cast<double>(counts.lost - counts.won);
  const auto flips = static_cast<double>(counts.lost + counts.won) + 1;
  const auto n = static_cast<double>(counts.total());
  const double padded = n + 2;
  const double center = difference / padded;
  const double reach = critical_z() * std::sqrt(flips - difference * difference / padded) / padded;
  const double value = difference / n;
  return Interval{value, std::clamp(center - reach, -1.0, value),
                  std::clamp(center + reach, value, 1.0), counts.total()};
}

std::optional<Interval> paired_ratio(const PairedCounts& counts) {
  const auto baseline = static_cast<double>(counts.both_right + counts.lost);
  const auto candidate = static_cast<double>(counts.both_right + counts.won);
  if (baseline == 0) return std::nullopt;
  const auto flips = static_cast<double>(counts.lost + counts.won) + 1;
  const double center = std::log((candidate + 1) / (baseline + 1));
  const double reach = critical_z() * std::sqrt(flips / ((baseline + 1) * (candidate + 1)));
  const double value = candidate / baseline;
  return Interval{value, std::min(std::exp(center - reach), value),
                  std::max(std::exp(center + reach), value), counts.total()};
}

std::optional<Interval> paired_error_growth(const PairedCounts& counts) {
  return paired_ratio({counts.both_wrong, counts.won, counts.lost, counts.both_right});
}

double mcnemar_p(const PairedCounts& counts) {
  const std::int64_t flips = counts.lost + counts.won;
  if (flips == 0) return 1;
  const boost::math::binomial even(static_cast<double>(flips), 0.5);
  const auto fewer = static_cast<double>(std::min(counts.lost, counts.won));
  return std::min(1.0, 2 * boost::math::cdf(even, fewer));
}

std::optional<Interval> mean_interval(std::span<const double> values) {
  for (const double value : values) require(std::isfinite(value), "mean_interval: not finite");
  if (values.size() < 2) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  const double center = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  const double reach = critical_t(count - 1) * std::sqrt(squares / (count - 1) / count);
  return Interval{center, center - reach, center + reach, static_cast<std::int64_t>(values.size())};
}

std::optional<Interval> bootstrap_mean(std::span<const double> differences, std::string_view name,
                                       int resamples) {
  require(resamples > 0, "bootstrap_mean: no resamples");
  const std::size_t n = differences.size();
  if (n < 2) return std::nullopt;
  std::vector<double> means(static_cast<std::size_t>(resamples));
#pragma omp parallel for schedule(static) if (means.size() * n >= kDrawsWorthThreads)
  for (std::size_t i = 0; i < means.size(); ++i) {
    // A stream for each resample, so that threads do not matter.
    Random random(seed_from_name(fmt::format("{}/{}", name, i)));
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += differences[random.below(n)];
    means[i] = sum / static_cast<double>(n);
  }
  const double value = mean(differences);
  const double low = quantile_of_scratch(means, kTail);
  const double high = quantile_of_scratch(means, 1 - kTail);
  return Interval{value, std::min(low, value), std::max(high, value), static_cast<std::int64_t>(n)};
}

}  // namespace qassay
