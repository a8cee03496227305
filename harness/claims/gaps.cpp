#include "harness/claims/gaps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "harness/claims/verdict_row.hpp"

namespace qassay {
namespace {

constexpr std::string_view kTaskGap = "task_gap";
constexpr std::string_view kModelGap = "model_gap";

/// Of one scheme on one backend: the figures of a model by its name.
struct Losses {
  std::map<std::string, std::vector<CellFigure>> images, text;
  std::string silence;  // why a figure is missing
};
using LossesByPlace = std::map<std::pair<std::string, std::string>, Losses>;  // scheme, backend

LossesByPlace collect(const Claim& claim, const ClaimPart& part, std::span<const Record> records) {
  LossesByPlace places;
  for (const ClaimRegime regime : {ClaimRegime::images, ClaimRegime::text}) {
    for (const CellEvidence& group : collect_evidence(claim, part, regime, records)) {
      Losses& losses = places[{group.scheme, group.backend}];
      for (const SilentCell& cell : group.silent) {
        if (cell.why == Silence::other) losses.silence = cell.text;
      }
      for (const CellFigure& figure : group.figures) {
        if (figure.doubt) continue;
        (regime == ClaimRegime::text ? losses.text : losses.images)[figure.model].push_back(figure);
      }
    }
  }
  return places;
}

/// `widening`: of the half-widths.
Interval difference(const Interval& more, const Interval& less, double widening = 1) {
  const double value = more.value - less.value;
  return {value, value - widening * std::hypot(more.value - more.low, less.high - less.value),
          value + widening * std::hypot(more.high - more.value, less.value - less.low),
          std::min(more.count, less.count)};
}

std::vector<CellFigure> all_of(const std::map<std::string, std::vector<CellFigure>>& by_model) {
  std::vector<CellFigure> all;
  for (const auto& [model, figures] : by_model)
    all.insert(all.end(), figures.begin(), figures.end());
  return all;
}

struct Gap {
  Interval found;
  std::string note;
  int cells = 0;
};

std::optional<Gap> task_gap(const Losses& losses) {
  if (losses.images.empty() || losses.text.empty()) return std::nullopt;
  const Interval images = mean_over_evaluations(all_of(losses.images));
  const Interval text = mean_over_evaluations(all_of(losses.text));
  return Gap{
      difference(text, images),
      fmt::format("the loss is {:.3g} % on images and {:.3g} % on text", images.value, text.value),
      static_cast<int>(losses.images.size() + losses.text.size())};
}

/// How much wider a 95 % interval is when `pairs` of them are to hold together.
double widening_for(std::size_t pairs) {
  const boost::math::normal normal;
  constexpr double kTail = 0.025;
  return quantile(complement(normal, kTail / static_cast<double>(pairs))) /
         quantile(complement(normal, kTail));
}

std::optional<Gap> model_gap(const Losses& losses) {
  std::vector<std::pair<std::string, Interval>> models;
  for (const auto* task : {&losses.images, &losses.text}) {
    for (const auto& [model, figures] : *task)
      models.emplace_back(model, mean_over_evaluations(figures));
  }
  if (models.size() < 2) return std::nullopt;
  const double widening = widening_for(models.size() * (models.size() - 1) / 2);
  std::optional<Gap> best;
  for (const auto& [more, its] : models) {
    for (const auto& [less, other] : models) {
      if (more == less || its.value < other.value) continue;
      const Interval found = difference(its, other, widening);
      if (best && best->found.low >= found.low) continue;
      best =
          Gap{found,
              fmt::format("{} loses {:.3g} % and {} {:.3g} %", more, its.value, less, other.value),
              static_cast<int>(models.size())};
    }
  }
  return best;
}

}  // namespace

bool is_gap(const Claim& claim) {
  return claim.metric->name == kTaskGap || claim.metric->name == kModelGap;
}

std::vector<VerdictRow> judge_gaps(const Claim& claim, const ClaimPart& part,
                                   std::span<const Record> records, const JudgeContext& context) {
  const bool tasks = claim.metric->name == kTaskGap;
  const auto blank = [&](const std::string& scheme) {
    VerdictRow row = blank_row(claim, part, scheme, ClaimRegime::text);
    row.regime = tasks ? "images, text" : "";
    return row;
  };
  std::vector<VerdictRow> rows;
  std::string silence;
  for (const auto& [place, losses] : collect(claim, part, records)) {
    const std::optional<Gap> gap = tasks ? task_gap(losses) : model_gap(losses);
    if (!gap) {
      if (silence.empty()) silence = losses.silence;
      continue;
    }
    VerdictRow row = blank(place.first);
    row.backend = place.second;
    set_estimate(row, gap->found);
    row.note = gap->note;
    row.cells = gap->cells;
    row.covered = gap->found.value >= part.claimed.low ? gap->cells : 0;
    if (context.quick) {
      set_verdict(row, Outcome::inconclusive, ReasonCode::underpowered);
    } else {
      const Outcome outcome = decide(gap->found, part.claimed, claim.metric->better);
      // That there is a gap is claimed, and not how large it is.
      set_verdict(row, outcome == Outcome::better_than_claimed ? Outcome::confirmed : outcome,
                  std::nullopt);
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) {
    VerdictRow row = blank(fmt::format("{}", fmt::join(part.schemes, ", ")));
    set_verdict(row, Outcome::not_testable, ReasonCode::not_comparable);
    row.note = !silence.empty() ? silence
               : tasks ? "the run does not evaluate both kinds of model in one scheme and backend"
                       : "the run does not evaluate two models in one scheme and backend";
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace qassay
