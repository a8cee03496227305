#include "harness/claims/judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/scheme.hpp"
#include "harness/claims/decide.hpp"
#include "harness/claims/evidence.hpp"

namespace qassay {
namespace {

constexpr double kMostGrowth = 10;  // percent: the largest loss that anyone claims

VerdictRow blank_row(const Claim& claim, const ClaimPart& part, std::string scheme,
                     ClaimRegime regime) {
  VerdictRow row;
  row.id = claim.id;
  row.kind = to_string(claim.kind);
  row.scheme = std::move(scheme);
  row.regime = to_string(regime);
  row.baseline = claim.baseline.empty() ? std::string(claim.metric->against) : claim.baseline;
  row.claimed_low = part.claimed.low;
  row.claimed_high = part.claimed.high;
  row.statement = claim.statement;
  row.source = claim.source;
  row.unit = claim.metric->unit;
  row.better = to_string(claim.metric->better);
  return row;
}

void set_verdict(VerdictRow& row, Outcome outcome, std::optional<ReasonCode> reason) {
  row.verdict = to_string(outcome);
  row.reason = reason ? to_string(*reason) : "";
}

void set_estimate(VerdictRow& row, const Interval& found) {
  row.estimate = found.value;
  row.low = found.low;
  row.high = found.high;
}

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

// The mean of the ends holds however the evaluations depend on each other: kernels that evaluate
// one model on the same samples err together.
Interval mean_over_evaluations(const std::vector<CellFigure>& figures) {
  Interval mean{0, 0, 0, figures.front().raw.count};
  const double n = static_cast<double>(figures.size());
  for (const CellFigure& figure : figures) {
    mean.value += figure.raw.value / n;
    mean.low += figure.raw.low / n;
    mean.high += figure.raw.high / n;
    mean.count = std::min(mean.count, figure.raw.count);
  }
  return mean;
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

/// "left out: A, B (why); C (why)", each why once; where nothing is left and there is one why, that
/// alone.
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
    texts.push_back(fmt::format("{} ({})", fmt::join(cells, ", "), why));
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

std::string joined_baselines(const std::vector<CellFigure>& figures) {
  std::set<std::string> names;
  for (const CellFigure& figure : figures) {
    if (!figure.baseline.empty()) names.insert(figure.baseline);
  }
  return fmt::format("{}", fmt::join(names, ", "));
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

/// One step of an order on one backend: how much more the later group of schemes loses. The ends
/// are the farthest that the two means allow, for evaluations of one model err together.
VerdictRow judge_step(const Claim& claim, const std::string& backend,
                      const std::vector<CellFigure>& lesser, const std::vector<CellFigure>& greater,
                      const std::string& schemes, const JudgeContext& context) {
  VerdictRow row = blank_row(claim, {{}, {0, kMostGrowth}}, schemes, ClaimRegime::model);
  row.backend = backend;
  row.cells = static_cast<int>(lesser.size() + greater.size());
  if (lesser.empty() || greater.empty()) {
    set_verdict(row, Outcome::not_testable, ReasonCode::no_vector_kernel);
    row.note = "one side has no evaluation on this backend";
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

std::vector<VerdictRow> judge_order(const Claim& claim, std::span<const Record> records,
                                    const JudgeContext& context) {
  // Figures by backend, for each group of the order.
  std::map<std::string, std::vector<std::vector<CellFigure>>> by_backend;
  for (std::size_t i = 0; i < claim.order.size(); ++i) {
    const ClaimPart part{claim.order[i], {0, kMostGrowth}};
    for (const CellEvidence& group : collect_evidence(claim, part, ClaimRegime::model, records)) {
      auto& groups = by_backend[group.backend];
      groups.resize(claim.order.size());
      groups[i].insert(groups[i].end(), group.figures.begin(), group.figures.end());
    }
  }
  std::vector<VerdictRow> rows;
  for (const auto& [backend, groups] : by_backend) {
    for (std::size_t i = 1; i < groups.size(); ++i) {
      rows.push_back(judge_step(claim, backend, groups[i - 1], groups[i],
                                fmt::format("{} < {}", fmt::join(claim.order[i - 1], ", "),
                                            fmt::join(claim.order[i], ", ")),
                                context));
    }
  }
  if (rows.empty()) {
    VerdictRow row = blank_row(claim, {{}, {0, kMostGrowth}}, "", ClaimRegime::model);
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
      row.note = fmt::format("{:.4g} billion parameters at {:.6g} bits",
                             footprint.parameter_count(from) / 1e9,
                             bits_per_weight(scheme, footprint.row));
      if (scheme.weights.kind == Kind::integer) {
        row.note += fmt::format(", scales included (rows of {})", footprint.row);
      }
      if (!from.empty()) {
        row.note += fmt::format(", if the {:.4g} GB were {}", *footprint.total_gb, from);
      }
      if (footprint.kv_cache) {
        row.note += fmt::format("; {:.3g} GB of it KV cache, which stays as it is",
                                footprint.kv_cache->bytes() / kBytesPerGb);
      }
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
  if (!claim.order.empty()) return judge_order(claim, records, context);
  std::vector<VerdictRow> rows;
  for (const ClaimPart& part : claim.parts) {
    std::vector<VerdictRow> of_part;
    if (claim.not_testable) {
      of_part = say_not_testable(claim, part, records);
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
