#include "harness/claims/order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/scheme.hpp"
#include "datasets/text_protocol.hpp"
#include "harness/claims/decide.hpp"
#include "harness/claims/evidence.hpp"
#include "harness/claims/verdict_row.hpp"

namespace qassay {
namespace {

constexpr double kMostGrowth = 10;   // percent: the largest loss that anyone claims
constexpr double kMostRatio = 1000;  // only so that a growth has an end
const std::vector<std::string> kPlainMethods{"rtn"};

using Figures = std::vector<CellFigure>;

/// What a backend has of one group.
struct GroupFigures {
  Figures own;
  Figures plain;  // of a tuning: the same schemes by plain rounding
  bool own_planned = false, plain_planned = false;  // the run has cases, whatever became of them
};

/// What one step comes to.
struct Step {
  Interval found;
  std::string note;
  int cells = 0;
  int covered = 0;
};

bool compares_methods(const Claim& claim) {
  return std::ranges::any_of(claim.order, [&](const ClaimPart& group) {
    return group.methods != claim.order.front().methods;
  });
}

/// Those that no doubt hangs over, or all where it hangs over each.
Figures trusted(const Figures& figures) {
  Figures clean;
  std::ranges::copy_if(figures, std::back_inserter(clean),
                       [](const CellFigure& figure) { return !figure.doubt; });
  return clean.empty() ? figures : clean;
}

Interval difference(const Interval& later, const Interval& earlier) {
  return {later.value - earlier.value, later.low - earlier.high, later.high - earlier.low,
          std::min(earlier.count, later.count)};
}

bool holds(const Claim& claim, double value) {
  const ClaimedRange range = step_range(claim);
  return range.low <= value && (claim.metric->growth || value <= range.high);
}

/// The same model, layer and regime in the same scheme.
std::string in_scheme(const CellFigure& figure) { return figure.place + figure.scheme; }

/// What a cell of one group is set against in another: the same model, layer and regime, and where
/// methods are compared the same scheme. A time to quantize is of the weights, whatever activations
/// the scheme has.
std::string counterpart(const Claim& claim, const CellFigure& figure) {
  if (!compares_methods(claim)) return figure.place;
  if (claim.metric->evidence != Evidence::cost) return in_scheme(figure);
  return figure.place + to_string(Scheme{parse_scheme(figure.scheme).weights, {}});
}

/// Those of `figures` that have a counterpart among `others`.
Figures matched(const Figures& figures, const Figures& others,
                const std::function<std::string(const CellFigure&)>& name) {
  std::set<std::string> known;
  for (const CellFigure& other : others) known.insert(name(other));
  Figures both;
  std::ranges::copy_if(figures, std::back_inserter(both),
                       [&](const CellFigure& figure) { return known.contains(name(figure)); });
  return both;
}

std::optional<Step> difference_of_means(const Claim& claim, const Figures& all_earlier,
                                        const Figures& all_later) {
  const auto name = [&](const CellFigure& figure) { return counterpart(claim, figure); };
  const Figures earlier = matched(all_earlier, all_later, name);
  const Figures later = matched(all_later, all_earlier, name);
  if (earlier.empty()) return std::nullopt;
  const Interval before = mean_over_evaluations(earlier);
  const Interval after = mean_over_evaluations(later);
  Step step{difference(after, before),
            fmt::format("the loss is {:.3g} % and then {:.3g} %", before.value, after.value)};
  step.cells = static_cast<int>(earlier.size() + later.size());
  step.covered = holds(claim, step.found.value) ? step.cells : 0;
  return step;
}

/// The loss by plain rounding less that by the group's methods, of the models and schemes that both
/// quantized.
std::optional<Interval> won_back(const GroupFigures& group) {
  const Figures all = trusted(group.own), all_plain = trusted(group.plain);
  const Figures own = matched(all, all_plain, in_scheme),
                plain = matched(all_plain, all, in_scheme);
  if (own.empty()) return std::nullopt;
  return difference(mean_over_evaluations(plain), mean_over_evaluations(own));
}

std::optional<Step> tuning_step(const Claim& claim, const GroupFigures& earlier,
                                const GroupFigures& later) {
  const std::optional<Interval> before = won_back(earlier), after = won_back(later);
  if (!before || !after) return std::nullopt;
  Step step{difference(*after, *before),
            fmt::format("the methods win back {:.3g} points of loss and then {:.3g}", before->value,
                        after->value)};
  step.cells = static_cast<int>(earlier.own.size() + later.own.size());
  step.covered = holds(claim, step.found.value) ? step.cells : 0;
  return step;
}

/// Of the figures of one cell, on the log scale.
struct LogMean {
  double value = 0, low = 0, high = 0;
  double count = 0;

  void add(const Interval& figure) {
    ++count;
    value += (std::log(figure.value) - value) / count;
    low += (std::log(figure.low) - low) / count;
    high += (std::log(figure.high) - high) / count;
  }
};

std::map<std::string, LogMean> by_cell(const Claim& claim, const Figures& figures) {
  std::map<std::string, LogMean> cells;
  for (const CellFigure& figure : figures) {
    if (!(figure.raw.low > 0)) continue;  // no ratio can be formed
    cells[counterpart(claim, figure)].add(figure.raw);
  }
  return cells;
}

/// No value where no cell is on both sides, or exact figures are of fewer than two.
std::optional<Step> ratio_step(const Claim& claim, const Figures& earlier, const Figures& later) {
  const auto before = by_cell(claim, earlier), after = by_cell(claim, later);
  std::vector<std::vector<double>> logs;
  LogMean ends;
  Step step;
  for (const auto& [cell, first] : before) {
    const auto second = after.find(cell);
    if (second == after.end()) continue;
    const LogMean& then = second->second;
    const double ratio = then.value - first.value;
    logs.push_back({ratio});
    ++step.cells;
    step.covered += holds(claim, std::exp(ratio)) ? 1 : 0;
    ends.add({std::exp(ratio), std::exp(then.low - first.high), std::exp(then.high - first.low)});
  }
  if (logs.empty()) return std::nullopt;
  const Evidence evidence = claim.metric->evidence;
  if (evidence == Evidence::layer_error || evidence == Evidence::cost) {
    const std::optional<Interval> over_cells = ratio_over_legs(logs);
    if (!over_cells) return std::nullopt;
    step.found = *over_cells;
  } else {
    step.found = {std::exp(ends.value), std::exp(ends.low), std::exp(ends.high),
                  static_cast<std::int64_t>(logs.size())};
  }
  return step;
}

/// Where one model was evaluated otherwise on the two sides; empty where none was.
std::string differing_protocols(const Figures& earlier, const Figures& later) {
  for (const CellFigure& before : earlier) {
    for (const CellFigure& after : later) {
      if (before.model != after.model) continue;
      if (const auto refusal = refuse_comparison(before.protocol, after.protocol))
        return refusal->reason;
    }
  }
  return "";
}

VerdictRow silent_step(VerdictRow row, ReasonCode reason, std::string note) {
  set_verdict(row, Outcome::not_testable, reason);
  row.note = std::move(note);
  return row;
}

std::optional<Step> compare(const Claim& claim, const GroupFigures& earlier,
                            const GroupFigures& later) {
  switch (claim.metric->comparison) {
    case Comparison::ratio:
      return ratio_step(claim, trusted(earlier.own), trusted(later.own));
    case Comparison::tuning:
      return tuning_step(claim, earlier, later);
    case Comparison::difference:
    case Comparison::none:
      break;
  }
  return difference_of_means(claim, trusted(earlier.own), trusted(later.own));
}

bool is_missing(const Claim& claim, const GroupFigures& group) {
  const bool tuning = claim.metric->comparison == Comparison::tuning;
  return group.own.empty() || (tuning && group.plain.empty());
}

bool is_planned(const Claim& claim, const GroupFigures& group) {
  return group.own_planned &&
         (claim.metric->comparison != Comparison::tuning || group.plain_planned);
}

std::optional<ReasonCode> doubt_of_all(const Figures& figures) {
  const bool all = std::ranges::all_of(
      figures, [](const CellFigure& figure) { return figure.doubt.has_value(); });
  return all ? figures.front().doubt : std::nullopt;
}

VerdictRow judge_step(const Claim& claim, VerdictRow row, const GroupFigures& earlier,
                      const GroupFigures& later, const JudgeContext& context) {
  row.cells = static_cast<int>(earlier.own.size() + later.own.size());
  if (is_missing(claim, earlier) || is_missing(claim, later)) {
    const bool planned = is_planned(claim, earlier) && is_planned(claim, later);
    return silent_step(std::move(row),
                       planned ? ReasonCode::no_vector_kernel : ReasonCode::not_comparable,
                       planned ? "one side has no figure on this backend"
                               : "the run has not both sides on this backend");
  }
  if (std::string fault = differing_protocols(earlier.own, later.own); !fault.empty())
    return silent_step(std::move(row), ReasonCode::not_comparable, std::move(fault));
  const std::optional<Step> step = compare(claim, earlier, later);
  if (!step) {
    return silent_step(std::move(row), ReasonCode::underpowered,
                       "the two sides have fewer cells in common than an interval needs");
  }
  set_estimate(row, step->found);
  row.note = step->note;
  row.cells = step->cells;
  row.covered = step->covered;
  if (row.baseline.empty()) row.baseline = joined_baselines(later.own);
  auto doubt = doubt_of_all(earlier.own);
  if (!doubt) doubt = doubt_of_all(later.own);
  if (context.quick || doubt) {
    set_verdict(row, Outcome::inconclusive,
                context.quick ? ReasonCode::underpowered : doubt.value());
    return row;
  }
  const Outcome outcome = decide(step->found, step_range(claim), claim.metric->better);
  // That there is a growth is claimed, and not how large it is.
  const bool beyond = claim.metric->growth && outcome == Outcome::better_than_claimed;
  set_verdict(row, beyond ? Outcome::confirmed : outcome, std::nullopt);
  return row;
}

/// The schemes of a group of an order, and its methods where they are what is compared.
std::string group_name(const Claim& claim, std::size_t index) {
  const ClaimPart& group = claim.order[index];
  const std::string schemes = fmt::format("{}", fmt::join(group.schemes, ", "));
  return compares_methods(claim) ? fmt::format("{} by {}", schemes, fmt::join(group.methods, ", "))
                                 : schemes;
}

std::string step_name(const Claim& claim, std::size_t later) {
  return fmt::format("{} {} {}", group_name(claim, later - 1), claim.metric->growth ? "<" : "then",
                     group_name(claim, later));
}

using ByBackend = std::map<std::string, std::vector<GroupFigures>>;

ByBackend collect_groups(const Claim& claim, ClaimRegime regime, std::span<const Record> records) {
  ByBackend backends;
  const auto add = [&](std::size_t i, const ClaimPart& part, Figures GroupFigures::*side,
                       bool GroupFigures::*planned) {
    for (const CellEvidence& group : collect_evidence(claim, part, regime, records)) {
      std::vector<GroupFigures>& groups = backends[group.backend];
      groups.resize(claim.order.size());
      groups[i].*planned = true;
      std::ranges::copy(group.figures, std::back_inserter(groups[i].*side));
    }
  };
  for (std::size_t i = 0; i < claim.order.size(); ++i) {
    add(i, claim.order[i], &GroupFigures::own, &GroupFigures::own_planned);
    if (claim.metric->comparison != Comparison::tuning) continue;
    ClaimPart plain = claim.order[i];
    plain.methods = kPlainMethods;
    add(i, plain, &GroupFigures::plain, &GroupFigures::plain_planned);
  }
  return backends;
}

}  // namespace

bool is_order(const Claim& claim) { return claim.metric->comparison != Comparison::none; }

ClaimedRange step_range(const Claim& claim) {
  if (!claim.metric->growth) return claim.step;
  if (claim.metric->comparison == Comparison::ratio) return {1, kMostRatio};
  return {0, kMostGrowth};
}

std::vector<VerdictRow> judge_order(const Claim& claim, ClaimRegime regime,
                                    std::span<const Record> records, const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  const ClaimPart part{{}, step_range(claim)};
  for (const auto& [backend, groups] : collect_groups(claim, regime, records)) {
    for (std::size_t i = 1; i < groups.size(); ++i) {
      VerdictRow row = blank_row(claim, part, step_name(claim, i), regime);
      row.backend = backend;
      rows.push_back(judge_step(claim, std::move(row), groups[i - 1], groups[i], context));
    }
  }
  if (rows.empty()) {
    rows.push_back(silent_step(blank_row(claim, part, "", regime), ReasonCode::not_comparable,
                               "the run has no case of these schemes in this regime"));
  }
  return rows;
}

}  // namespace qassay
