#include "harness/run/figures.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/scheme.hpp"
#include "core/statistics.hpp"
#include "datasets/scoring.hpp"

namespace qassay {
namespace {

constexpr std::string_view kOwnBackend = "cpu";

/// Of FP32 as it is: whole models on text keep their keys and values so too.
bool is_fp32(const CaseRow& row) {
  return row.scheme == "FP32" && (row.kv_cache.empty() || row.kv_cache == "FP32");
}

/// Whether a library computes with the same weights, and with activations that are as wide.
bool is_peer(const CaseRow& row, const CaseRow& other) {
  if (other.backend == kOwnBackend || other.backend == "reference") return false;
  const Scheme mine = parse_scheme(row.scheme);
  const Scheme theirs = parse_scheme(other.scheme);
  return row.kv_cache == other.kv_cache && mine.weights == theirs.weights &&
         mine.quantizes_input() == theirs.quantizes_input();
}

/// Adds rows about one case.
class CaseFigures {
 public:
  CaseFigures(const CaseRow& row, std::vector<MetricRow>& out) : row_(row), out_(out) {}

  void add(const char* metric, const Interval& value, const char* unit, const char* direction,
           const char* baseline = "") {
    out_.push_back({row_.key, row_.arm, metric, value.value, value.low, value.high, value.count,
                    unit, direction, baseline});
  }
  void add(const char* metric, const std::optional<Interval>& value, const char* unit,
           const char* direction, const char* baseline = "") {
    if (value) add(metric, *value, unit, direction, baseline);
  }
  void add_exact(const char* metric, double value, std::int64_t count, const char* unit,
                 const char* direction, const char* baseline = "") {
    add(metric, Interval{value, value, value, count}, unit, direction, baseline);
  }

 private:
  const CaseRow& row_;
  std::vector<MetricRow>& out_;
};

/// So much a call, as so much a second.
Interval rate(double amount, const Interval& seconds) {
  return {amount / seconds.value, amount / seconds.high, amount / seconds.low, seconds.count};
}

/// The rounds of one case in every leg in which it passed: leg -> round -> seconds per call.
using Times = std::map<int, std::map<int, double>>;

class TimingFigures {
 public:
  TimingFigures(std::span<const CaseRow> cases, std::span<const LegRow> legs, bool text)
      : cases_(cases), legs_(legs), text_(text) {
    for (const LegRow& leg : legs) {
      for (const LegCaseRow& found : leg.cases) {
        if (found.status != "passed" && found.status != "mistrusted") continue;
        for (const RoundRow& round : found.rounds) {
          times_[{found.case_key, found.arm}][leg.leg][round.round] = round.seconds;
        }
      }
    }
  }

  std::vector<MetricRow> rows() const {
    std::vector<MetricRow> rows;
    for (const CaseRow& row : cases_) {
      CaseFigures figures(row, rows);
      add_memory(row, figures);
      add_times(row, figures);
    }
    return rows;
  }

 private:
  static const LegCaseRow* packed_in(const LegRow& leg, const CaseRow& row) {
    const auto found = std::ranges::find_if(leg.cases, [&](const LegCaseRow& other) {
      return other.case_key == row.key && other.arm == row.arm && other.packed_bytes > 0;
    });
    return found == leg.cases.end() ? nullptr : &*found;
  }

  void add_memory(const CaseRow& row, CaseFigures& figures) const {
    std::int64_t legs = 0;
    std::int64_t peak = 0;
    for (const LegRow& leg : legs_) {
      const LegCaseRow* found = packed_in(leg, row);
      if (found == nullptr) continue;
      if (legs == 0) {
        figures.add_exact("weight_bytes", static_cast<double>(found->packed_bytes), 1, "bytes",
                          "lower");
        figures.add_exact("workspace_bytes", static_cast<double>(found->workspace_bytes), 1,
                          "bytes", "lower");
      }
      ++legs;
      peak = std::max(peak, leg.peak_rss_bytes);
    }
    if (legs > 0)
      figures.add_exact("peak_rss_bytes", static_cast<double>(peak), legs, "bytes", "lower");
  }

  void add_times(const CaseRow& row, CaseFigures& figures) const {
    const Times* times = find(row);
    if (times == nullptr) return;
    const auto seconds = latency(*times);
    figures.add("latency", seconds, "s", "lower");
    if (seconds && row.layer.empty()) {
      if (text_ && row.m > 1) figures.add("time_to_first_token", seconds, "s", "lower");
      figures.add("throughput", rate(static_cast<double>(row.m), *seconds),
                  text_ ? "tokens/s" : "samples/s", "higher");
    } else if (seconds) {
      add_rates(row, *seconds, figures);
    }
    if (row.layer.empty())
      figures.add("layers_fraction", layers_fraction(row, *times), "fraction", "none");
    const auto add_over = [&](const CaseRow* baseline, const char* name) {
      if (baseline != nullptr && baseline != &row && row.arm == "a")
        figures.add("speedup", speedup(*baseline, row), "ratio", "higher", name);
    };
    add_over(best(row, is_fp32), "best-fp32");
    if (row.backend == kOwnBackend) {
      add_over(best(row, [&](const CaseRow& other) { return is_peer(row, other); }), "best-peer");
    }
    for (const CaseRow& other : cases_) {
      if (other.layer != row.layer || other.arm != "a" || &other == &row ||
          other.backend != row.backend)
        continue;
      if (row.arm == "b" && other.key == row.key) {
        figures.add("speedup", speedup(other, row), "ratio", "higher", "arm-a");
      }
      if (row.arm == "a" && is_fp32(other)) {
        figures.add("speedup", speedup(other, row), "ratio", "higher", "own-fp32");
      }
    }
  }

  void add_rates(const CaseRow& row, const Interval& seconds, CaseFigures& figures) const {
    double packed_bytes = 0;
    std::map<std::string, std::vector<std::vector<double>>> fractions;  // by ceiling: logs, by leg
    for (const LegRow& leg : legs_) {
      if (const LegCaseRow* packed = packed_in(leg, row))
        packed_bytes = static_cast<double>(packed->packed_bytes);
      for (const MetricRow& found : leg.metrics) {
        if (found.case_key != row.key || found.arm != row.arm) continue;
        if (found.metric == "operations")
          figures.add("operation_rate", rate(found.value, seconds), "op/s", "higher");
        if (found.metric == "ceiling_fraction")
          fractions[found.baseline].push_back({std::log(found.value)});
      }
    }
    if (packed_bytes > 0) figures.add("bandwidth", rate(packed_bytes, seconds), "B/s", "higher");
    for (const auto& [ceiling, by_leg] : fractions) {
      figures.add("ceiling_fraction", ratio_over_legs(by_leg), "fraction", "higher",
                  ceiling.c_str());
    }
  }

  const Times* find(const CaseRow& row) const {
    const auto found = times_.find({row.key, row.arm});
    return found == times_.end() ? nullptr : &found->second;
  }

  static std::optional<Interval> latency(const Times& times) {
    std::vector<std::vector<double>> by_leg;
    for (const auto& [leg, rounds] : times) {
      auto& seconds = by_leg.emplace_back();
      for (const auto& [round, value] : rounds) seconds.push_back(value);
    }
    return latency_over_legs(by_leg);
  }

  /// No value where the layers were not timed. Of a text, the last layer gives all scores by
  /// itself, and those of one position in the whole.
  std::optional<Interval> layers_fraction(const CaseRow& row, const Times& whole) const {
    std::vector<const Times*> layers;
    for (const CaseRow& other : cases_) {
      if (other.layer.empty() || other.arm != "a" || other.scheme != row.scheme ||
          other.method != row.method || other.backend != row.backend)
        continue;
      layers.push_back(find(other));
      if (layers.back() == nullptr) return std::nullopt;
    }
    if (layers.empty()) return std::nullopt;
    std::vector<std::vector<double>> logs;
    for (const auto& [leg, rounds] : whole) {
      auto& of_leg = logs.emplace_back();
      for (const auto& [round, seconds] : rounds) {
        double sum = 0;
        for (const Times* layer : layers) sum += seconds_of(*layer, leg, round);
        if (std::isfinite(sum)) of_leg.push_back(std::log(sum / seconds));
      }
    }
    return ratio_over_legs(logs);
  }

  /// NaN where there are none.
  static double seconds_of(const Times& times, int leg, int round) {
    const auto rounds = times.find(leg);
    if (rounds == times.end()) return std::nan("");
    const auto found = rounds->second.find(round);
    return found == rounds->second.end() ? std::nan("") : found->second;
  }

  /// The fastest first arm among the cases of the same layer that `takes` takes.
  const CaseRow* best(const CaseRow& row, const auto& takes) const {
    const CaseRow* best = nullptr;
    double lowest = 0;
    for (const CaseRow& other : cases_) {
      if (other.layer != row.layer || other.arm != "a" || !takes(other)) continue;
      const Times* times = find(other);
      const auto seconds = times == nullptr ? std::nullopt : latency(*times);
      if (seconds && (best == nullptr || seconds->value < lowest)) {
        best = &other;
        lowest = seconds->value;
      }
    }
    return best;
  }

  std::optional<Interval> speedup(const CaseRow& baseline, const CaseRow& candidate) const {
    const Times* base_times = find(baseline);
    const Times* candidate_times = find(candidate);
    if (base_times == nullptr || candidate_times == nullptr) return std::nullopt;
    std::vector<std::vector<double>> log_ratios;
    for (const auto& [leg, rounds] : *base_times) {
      const auto same_leg = candidate_times->find(leg);
      if (same_leg == candidate_times->end()) continue;
      auto& ratios = log_ratios.emplace_back();
      for (const auto& [round, seconds] : rounds) {
        const auto pair = same_leg->second.find(round);
        if (pair != same_leg->second.end()) ratios.push_back(std::log(seconds / pair->second));
      }
    }
    return ratio_over_legs(log_ratios);
  }

  std::span<const CaseRow> cases_;
  std::span<const LegRow> legs_;
  bool text_;  // the model is of text
  std::map<std::pair<std::string, std::string>, Times> times_;
};

Interval scaled(const Interval& interval, double factor) {
  return {interval.value * factor, interval.low * factor, interval.high * factor, interval.count};
}

/// 100 (1 - ratio): the loss in percent of the baseline, whose ends change places.
Interval relative_loss(const Interval& ratio) {
  return {100 * (1 - ratio.value), 100 * (1 - ratio.high), 100 * (1 - ratio.low), ratio.count};
}

}  // namespace

std::vector<MetricRow> timing_figures(std::span<const CaseRow> cases, std::span<const LegRow> legs,
                                      bool text) {
  return TimingFigures(cases, legs, text).rows();
}

std::vector<MetricRow> accuracy_figures(std::span<const CaseRow> cases,
                                        std::span<const SampleScoresRow> samples,
                                        std::span<const std::uint8_t> labels) {
  const auto predictions = [&](const CaseRow& row) -> const std::vector<std::uint8_t>* {
    const auto found = std::ranges::find_if(samples, [&](const SampleScoresRow& scores) {
      return scores.case_key == row.key && scores.arm == row.arm;
    });
    return found == samples.end() ? nullptr : &found->predictions;
  };
  const CaseRow* baseline = nullptr;
  for (const CaseRow& row : cases) {
    if (baseline == nullptr && row.scheme == "FP32" && predictions(row) != nullptr) baseline = &row;
  }

  std::vector<MetricRow> rows;
  for (const CaseRow& row : cases) {
    const auto* candidate = predictions(row);
    if (candidate == nullptr) continue;
    CaseFigures figures(row, rows);
    const auto count = static_cast<std::int64_t>(candidate->size());
    const std::span<const std::uint8_t> truth = labels.first(candidate->size());
    const auto right = static_cast<std::int64_t>(
        std::lround(top1(*candidate, truth) * static_cast<double>(count)));
    figures.add("top1", proportion(right, count), "fraction", "higher");
    if (baseline == nullptr || baseline == &row) continue;
    const PredictionPairs pairs = compare_predictions(*predictions(*baseline), *candidate, truth);
    if (const auto ratio = paired_ratio(pairs.outcomes)) {
      figures.add("loss", relative_loss(*ratio), "percent", "lower", "fp32");
    }
    if (const auto points = paired_loss(pairs.outcomes)) {
      figures.add("loss_points", scaled(*points, 100), "points", "lower", "fp32");
    }
    figures.add("loss_error_growth", paired_error_growth(pairs.outcomes), "ratio", "lower", "fp32");
    figures.add("agreement", proportion(pairs.agreeing, count), "fraction", "higher", "fp32");
    figures.add_exact("flips_lost", static_cast<double>(pairs.outcomes.lost), count, "samples",
                      "lower", "fp32");
    figures.add_exact("mcnemar_p", mcnemar_p(pairs.outcomes), count, "probability", "none", "fp32");
    figures.add_exact("flips_won", static_cast<double>(pairs.outcomes.won), count, "samples",
                      "none", "fp32");
  }
  return rows;
}

}  // namespace qassay
