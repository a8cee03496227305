#include "harness/claims/verdict_row.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

namespace qassay {

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

std::string joined_baselines(const std::vector<CellFigure>& figures) {
  std::set<std::string> names;
  for (const CellFigure& figure : figures) {
    if (!figure.baseline.empty()) names.insert(figure.baseline);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace qassay
