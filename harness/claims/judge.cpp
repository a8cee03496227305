#include "harness/claims/judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/scheme.hpp"
#include "datasets/text_protocol.hpp"
#include "harness/claims/decide.hpp"
#include "harness/claims/evidence.hpp"
#include "harness/claims/gaps.hpp"
#include "harness/claims/verdict_row.hpp"

namespace qassay {
namespace {

constexpr double kMostGrowth = 10;  // percent: the largest loss that anyone claims

bool is_inside(double value, const ClaimedRange& range) {
  return range.low <= value && value <= range.high;
}

Interval as_claimed(const ClaimMetric& metric, const Interval& raw) {
  const double one = metric.figure(raw.low), other = metric.figure(raw.high);
  return {metric.figure(raw.value), std::min(one, other), std::max(one, other), raw.count};
}

Interval mean_over_layers(const std::vector<CellFigure>& figures) {
  std::vector<Interval> ratios;
  for (const CellFigure& figure : figures) {
    Interval ratio = figure.raw;
    // Too few legs for an interval: such a figure is in doubt and decides nothing, and no interval
    // is made up for it.
    if (ratio.count < 2) ratio.low = ratio.high = ratio.value;
    ratios.push_back(ratio);
  }
  return geometric_mean(ratios).value();
}

Interval bytes_per_weight(const std::vector<CellFigure>& figures) {
  double bytes = 0, weights = 0;
  for (const CellFigure& figure : figures) {
    bytes += figure.raw.value * figure.weights;
    weights += figure.weights;
  }
  const double ratio = bytes / weights;
  return {ratio, ratio, ratio, 1};
}

Interval combine(const ClaimMetric& metric, const std::vector<CellFigure>& figures) {
  switch (metric.evidence) {
    case Evidence::timing:
      return as_claimed(metric, mean_over_layers(figures));
    case Evidence::bytes:
      return as_claimed(metric, bytes_per_weight(figures));
    case Evidence::accuracy:
    case Evidence::arithmetic:
      break;
  }
  return as_claimed(metric, mean_over_evaluations(figures));
}

/// "left out: A, B (why); C, D, E, F and 9 more (why)", each why once; where nothing is left and
/// there is one why, that alone.
std::string left_out(const std::vector<std::pair<std::string, std::string>>& cells_and_why,
                     bool all) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_why;
  for (const auto& [cell, why] : cells_and_why) {
    const auto is_why = [&key = why](const auto& entry) { return entry.first == key; };
    auto found = std::find_if(by_why.begin(), by_why.end(), is_why);
    if (found == by_why.end()) found = by_why.insert(by_why.end(), {why, {}});
    found->second.push_back(cell);
  }
  if (all && by_why.size() == 1) return by_why.front().first;
  std::vector<std::string> texts;
  for (const auto& [why, cells] : by_why) {
    constexpr std::size_t kNamed = 4;
    const std::size_t more = cells.size() > kNamed + 1 ? cells.size() - kNamed : 0;
    const auto named = std::span(cells).first(cells.size() - more);
    texts.push_back(fmt::format("{}{} ({})", fmt::join(named, ", "),
                                more > 0 ? fmt::format(" and {} more", more) : "", why));
  }
  return texts.empty() ? "" : fmt::format("left out: {}", fmt::join(texts, "; "));
}

ReasonCode reason_of_silence(const std::vector<SilentCell>& silent) {
  const auto loudest =
      std::max_element(silent.begin(), silent.end(),
                       [](const SilentCell& a, const SilentCell& b) { return a.why < b.why; });
  switch (loudest->why) {
    case Silence::unsupported:
      return ReasonCode::no_vector_kernel;
    case Silence::fell_back:
      return ReasonCode::fell_back;
    case Silence::other:
      break;
  }
  return ReasonCode::not_comparable;
}

VerdictRow judge_cells(const Claim& claim, const ClaimPart& part, ClaimRegime regime,
                       const CellEvidence& evidence, const JudgeContext& context) {
  const ClaimMetric& metric = *claim.metric;
  VerdictRow row = blank_row(claim, part, evidence.scheme, regime);
  row.backend = evidence.backend;
  row.cells = static_cast<int>(evidence.figures.size() + evidence.silent.size());

  std::vector<CellFigure> clean, doubtful;
  for (const CellFigure& figure : evidence.figures) {
    (figure.doubt ? doubtful : clean).push_back(figure);
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const CellFigure& figure : doubtful) {
    const std::string why = fmt::format("{}: {}", to_string(*figure.doubt), figure.doubt_text);
    out.emplace_back(figure.cell, why);
  }
  for (const SilentCell& cell : evidence.silent) out.emplace_back(cell.cell, cell.text);
  row.note = left_out(out, evidence.figures.empty());

  if (evidence.figures.empty()) {
    set_verdict(row, Outcome::not_testable, reason_of_silence(evidence.silent));
    return row;
  }
  const std::vector<CellFigure>& used = clean.empty() ? doubtful : clean;
  const Interval found = combine(metric, used);
  set_estimate(row, found);
  if (row.baseline.empty() && metric.evidence == Evidence::accuracy) {
    row.baseline = joined_baselines(used);
  }
  for (const CellFigure& figure : clean) {
    if (is_inside(metric.figure(figure.raw.value), part.claimed)) ++row.covered;
  }

  if (clean.empty()) {
    set_verdict(row, Outcome::inconclusive, doubtful.front().doubt);
  } else if (context.quick) {
    set_verdict(row, Outcome::inconclusive, ReasonCode::underpowered);
  } else {
    set_verdict(row, decide(found, part.claimed, metric.better), std::nullopt);
  }
  return row;
}

std::vector<VerdictRow> judge_measured(const Claim& claim, const ClaimPart& part,
                                       std::span<const Record> records,
                                       const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  for (const ClaimRegime regime : claim.regimes) {
    const std::vector<CellEvidence> groups = collect_evidence(claim, part, regime, records);
    for (const CellEvidence& group : groups) {
      rows.push_back(judge_cells(claim, part, regime, group, context));
    }
    for (const std::string& pattern : part.schemes) {
      const bool seen = std::any_of(groups.begin(), groups.end(), [&](const CellEvidence& group) {
        return matches_pattern(pattern, group.scheme);
      });
      if (seen) continue;
      VerdictRow row = blank_row(claim, part, pattern, regime);
      set_verdict(row, Outcome::not_testable, ReasonCode::not_comparable);
      row.note = fmt::format("the run has no case of {} in this regime", pattern);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// Where one model was evaluated otherwise on the two sides; empty where none was.
std::string differing_protocols(const std::vector<CellFigure>& lesser,
                                const std::vector<CellFigure>& greater) {
  for (const CellFigure& before : lesser) {
    for (const CellFigure& after : greater) {
      if (before.model != after.model) continue;
      if (const auto refusal = refuse_comparison(before.protocol, after.protocol))
        return refusal->reason;
    }
  }
  return "";
}

bool compares_methods(const Claim& claim) {
  return std::ranges::any_of(claim.order, [&](const ClaimPart& group) {
    return group.methods != claim.order.front().methods;
  });
}

/// One step of an order on one backend: how much more the later group of schemes loses. The ends
/// are the farthest that the two means allow, for evaluations of one model err together.
VerdictRow judge_step(const Claim& claim, ClaimRegime regime, const std::string& backend,
                      const std::vector<CellFigure>& lesser, const std::vector<CellFigure>& greater,
                      const std::string& schemes, const JudgeContext& context) {
  VerdictRow row = blank_row(claim, {{}, {0, kMostGrowth}}, schemes, regime);
  row.backend = backend;
  row.cells = static_cast<int>(lesser.size() + greater.size());
  if (lesser.empty() || greater.empty()) {
    const bool by_method = compares_methods(claim);
    set_verdict(row, Outcome::not_testable,
                by_method ? ReasonCode::not_comparable : ReasonCode::no_vector_kernel);
    row.note = by_method ? "the run has not both methods on this backend"
                         : "one side has no evaluation on this backend";
    return row;
  }
  if (const std::string fault = differing_protocols(lesser, greater); !fault.empty()) {
    set_verdict(row, Outcome::not_testable, ReasonCode::not_comparable);
    row.note = fault;
    return row;
  }
  const Interval before = mean_over_evaluations(lesser);
  const Interval after = mean_over_evaluations(greater);
  const Interval growth{after.value - before.value, after.low - before.high,
                        after.high - before.low, std::min(before.count, after.count)};
  set_estimate(row, growth);
  row.baseline = joined_baselines(greater);
  row.covered = growth.value >= 0 ? row.cells : 0;
  row.note = fmt::format("the loss is {:.3g} % and then {:.3g} %", before.value, after.value);
  if (context.quick) {
    set_verdict(row, Outcome::inconclusive, ReasonCode::underpowered);
  } else {
    set_verdict(row, decide(growth, {0, kMostGrowth}, claim.metric->better), std::nullopt);
  }
  return row;
}

/// The schemes of a group of an order, and its methods where they are what is compared.
std::string group_name(const Claim& claim, std::size_t index) {
  const ClaimPart& group = claim.order[index];
  const bool by_method = compares_methods(claim);
  const std::string schemes = fmt::format("{}", fmt::join(group.schemes, ", "));
  return by_method ? fmt::format("{} by {}", schemes, fmt::join(group.methods, ", ")) : schemes;
}

std::vector<VerdictRow> judge_order(const Claim& claim, ClaimRegime regime,
                                    std::span<const Record> records, const JudgeContext& context) {
  // Figures by backend, for each group of the order.
  std::map<std::string, std::vector<std::vector<CellFigure>>> by_backend;
  for (std::size_t i = 0; i < claim.order.size(); ++i) {
    for (const CellEvidence& group : collect_evidence(claim, claim.order[i], regime, records)) {
      auto& groups = by_backend[group.backend];
      groups.resize(claim.order.size());
      groups[i].insert(groups[i].end(), group.figures.begin(), group.figures.end());
    }
  }
  std::vector<VerdictRow> rows;
  for (const auto& [backend, groups] : by_backend) {
    for (std::size_t i = 1; i < groups.size(); ++i) {
      rows.push_back(judge_step(
          claim, regime, backend, groups[i - 1], groups[i],
          fmt::format("{} < {}", group_name(claim, i - 1), group_name(claim, i)), context));
    }
  }
  if (rows.empty()) {
    VerdictRow row = blank_row(claim, {{}, {0, kMostGrowth}}, "", regime);
    set_verdict(row, Outcome::not_testable, ReasonCode::not_comparable);
    row.note = "the run evaluates no model in these schemes";
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<VerdictRow> judge_derived(const Claim& claim, const ClaimPart& part) {
  const Footprint& footprint = *claim.footprint;
  const std::vector<std::string> readings =
      footprint.from.empty() ? std::vector<std::string>{""} : footprint.from;
  std::vector<VerdictRow> rows;
  for (const std::string& from : readings) {
    for (const std::string& name : part.schemes) {
      const Scheme scheme = parse_scheme(name);
      const double gb = footprint.total_bytes(scheme, from) / kBytesPerGb;
      const Interval found{gb, gb, gb, 1};
      VerdictRow row = blank_row(claim, part, name, ClaimRegime::model);
      row.baseline = from;
      set_estimate(row, found);
      set_verdict(row, decide(found, part.claimed, claim.metric->better), std::nullopt);
      row.cells = 1;
      row.covered = is_inside(gb, part.claimed) ? 1 : 0;
      row.note = footprint.explain(scheme, from);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// What the models of this run show of an accuracy claim about a model that is not here.
std::string analogue(const Claim& claim, const ClaimPart& part, ClaimRegime regime,
                     std::span<const Record> records) {
  if (claim.metric->evidence != Evidence::accuracy) return "";
  std::vector<double> values;
  std::set<std::string> schemes, cells;
  for (const CellEvidence& group : collect_evidence(claim, part, regime, records)) {
    for (const CellFigure& figure : group.figures) {
      values.push_back(claim.metric->figure(figure.raw.value));
      schemes.insert(group.scheme);
      cells.insert(figure.cell);
    }
  }
  if (values.empty()) return "";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::string range = *least == *most ? fmt::format("{:.4g}", *least)
                                            : fmt::format("{:.4g} to {:.4g}", *least, *most);
  return fmt::format("; an analogue, not the claim's model: {} of {}: {} {} in {}",
                     claim.metric->name, fmt::join(cells, ", "), range, claim.metric->unit,
                     fmt::join(schemes, ", "));
}

std::vector<VerdictRow> say_not_testable(const Claim& claim, const ClaimPart& part,
                                         std::span<const Record> records) {
  std::vector<VerdictRow> rows;
  for (const ClaimRegime regime : claim.regimes) {
    VerdictRow row =
        blank_row(claim, part, fmt::format("{}", fmt::join(part.schemes, ", ")), regime);
    set_verdict(row, Outcome::not_testable, claim.not_testable);
    row.note = claim.explanation + analogue(claim, part, regime, records);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::vector<VerdictRow> judge(const Claim& claim, std::span<const Record> records,
                              const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  if (!claim.order.empty()) {
    for (const ClaimRegime regime : claim.regimes) {
      const std::vector<VerdictRow> of_regime = judge_order(claim, regime, records, context);
      rows.insert(rows.end(), of_regime.begin(), of_regime.end());
    }
    return rows;
  }
  for (const ClaimPart& part : claim.parts) {
    std::vector<VerdictRow> of_part;
    if (claim.not_testable) {
      of_part = say_not_testable(claim, part, records);
    } else if (is_gap(claim)) {
      of_part = judge_gaps(claim, part, records, context);
    } else if (claim.metric->evidence == Evidence::arithmetic) {
      of_part = judge_derived(claim, part);
    } else {
      of_part = judge_measured(claim, part, records, context);
    }
    rows.insert(rows.end(), of_part.begin(), of_part.end());
  }
  return rows;
}

std::vector<VerdictRow> judge_all(std::span<const Claim> claims, std::span<const Record> records,
                                  const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  for (const Claim& claim : claims) {
    const std::vector<VerdictRow> of_claim = judge(claim, records, context);
    rows.insert(rows.end(), of_claim.begin(), of_claim.end());
  }
  return rows;
}

}  // namespace qassay
