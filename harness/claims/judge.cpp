#include "harness/claims/judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/scheme.hpp"
#include "harness/claims/decide.hpp"
#include "harness/claims/evidence.hpp"
#include "harness/claims/gaps.hpp"
#include "harness/claims/order.hpp"
#include "harness/claims/verdict_row.hpp"

namespace qassay {
namespace {

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

/// Of exact figures: Student's t interval over the cells, on the log scale.
Interval mean_over_cells(const std::vector<CellFigure>& figures) {
  std::vector<std::vector<double>> values;
  for (const CellFigure& figure : figures) values.push_back({figure.raw.value});
  return latency_over_legs(values).value_or(figures.front().raw);
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
    case Evidence::layer_error:
    case Evidence::cost:
      return as_claimed(metric, mean_over_cells(figures));
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

  const bool from_spread =
      metric.evidence == Evidence::layer_error || metric.evidence == Evidence::cost;
  if (clean.empty()) {
    set_verdict(row, Outcome::inconclusive, doubtful.front().doubt);
  } else if (context.quick || (from_spread && clean.size() < 2)) {
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
  // A perplexity by itself says nothing beside one of other tokens.
  const std::string_view unit = claim.metric->unit;
  if (claim.metric->evidence != Evidence::accuracy || (unit != "%" && unit != "x")) return "";
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

std::vector<VerdictRow> judge_part(const Claim& claim, const ClaimPart& part,
                                   std::span<const Record> records, const JudgeContext& context) {
  if (claim.not_testable) return say_not_testable(claim, part, records);
  if (is_gap(claim)) return judge_gaps(claim, part, records, context);
  if (claim.metric->evidence == Evidence::arithmetic) return judge_derived(claim, part);
  return judge_measured(claim, part, records, context);
}

std::vector<std::vector<VerdictRow>> judge_steps(const Claim& claim,
                                                 std::span<const Record> records,
                                                 const JudgeContext& context) {
  if (claim.not_testable)
    return {say_not_testable(claim, {{}, step_range(claim), {}, {}}, records)};
  std::vector<std::vector<VerdictRow>> steps;
  for (const ClaimRegime regime : claim.regimes)
    steps.push_back(judge_order(claim, regime, records, context));
  return steps;
}

/// Where a source contradicts itself, nothing is evidence for it; against it there may be.
void apply_audit(const std::string& contradiction, VerdictRow& row) {
  if (contradiction.empty()) return;
  if (row.verdict == to_string(Outcome::confirmed) ||
      row.verdict == to_string(Outcome::better_than_claimed)) {
    row.verdict = to_string(Outcome::inconclusive);
  }
  row.reason = to_string(ReasonCode::inconsistent_source);
  row.note = row.note.empty() ? contradiction : fmt::format("{}; {}", contradiction, row.note);
}

bool has_model(const Claim& claim, std::span<const Record> records) {
  return std::ranges::any_of(records, [&](const Record& record) {
    return std::ranges::any_of(claim.models, [&](const std::string& pattern) {
      return matches_pattern(pattern, record.model);
    });
  });
}

void add_to_note(VerdictRow& row, const std::string& text) {
  row.note = row.note.empty() ? text : fmt::format("{}; {}", row.note, text);
}

/// What a verdict has to say of the models that the figure was published of.
void state_models(const Claim& claim, bool model_is_here, VerdictRow& row) {
  const bool testable = row.verdict != to_string(Outcome::not_testable);
  if (!claim.published_for.empty()) {
    row.statement += fmt::format(" (published of {})", claim.published_for);
    const std::string rest = row.note.empty() ? "" : "; " + row.note;
    if (testable) row.note = "an analogue: not the models that the figure was published of" + rest;
  }
  if (claim.reproduce.empty() || testable) return;
  if (!model_is_here) {
    row.reason = to_string(ReasonCode::needs_checkpoint);
    row.note = "";
  }
  add_to_note(row, fmt::format("to measure it: {}", claim.reproduce));
}

}  // namespace

std::vector<VerdictRow> judge(const Claim& claim, std::span<const Record> records,
                              const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  const auto add = [&](std::vector<VerdictRow> more, const std::vector<Audit>& audits) {
    const bool model_is_here = has_model(claim, records);
    const std::string own = contradictions(claim.audits), of_part = contradictions(audits);
    const std::string both = own.empty() || of_part.empty() ? own + of_part : own + "; " + of_part;
    for (VerdictRow& row : more) {
      state_models(claim, model_is_here, row);
      apply_audit(both, row);
      rows.push_back(std::move(row));
    }
  };
  if (is_order(claim)) {
    for (std::vector<VerdictRow>& of_regime : judge_steps(claim, records, context))
      add(std::move(of_regime), {});
    return rows;
  }
  for (const ClaimPart& part : claim.parts)
    add(judge_part(claim, part, records, context), part.audits);
  return rows;
}

std::vector<VerdictRow> judge_all(std::span<const Claim> claims, std::span<const Record> records,
                                  const JudgeContext& context) {
  std::vector<VerdictRow> rows;
  for (const Claim& claim : claims)
    std::ranges::move(judge(claim, records, context), std::back_inserter(rows));
  return rows;
}

}  // namespace qassay
