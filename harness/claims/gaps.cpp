#include "harness/claims/gaps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/claims/verdict_row.hpp"

namespace qassay {
namespace {

constexpr std::string_view kTaskGap = "task_gap";
constexpr std::string_view kModelGap = "model_gap";

using FiguresByModel = std::map<std::string, std::vector<CellFigure>>;

/// Of one recipe on one backend.
struct Losses {
  FiguresByModel images, text;
};
/// A scheme and the method that its numbers are chosen by; none of floats.
using Recipe = std::pair<std::string, std::string>;
using LossesByPlace = std::map<std::pair<Recipe, std::string>, Losses>;  // and backend

struct Collected {
  LossesByPlace places;
  std::string silence;  // why a figure is missing
};

Collected collect(const Claim& claim, const ClaimPart& part, std::span<const Record> records) {
  Collected found;
  for (const ClaimRegime regime : {ClaimRegime::images, ClaimRegime::text}) {
    for (const CellEvidence& group : collect_evidence(claim, part, regime, records)) {
      for (const SilentCell& cell : group.silent) {
        if (cell.why == Silence::other && found.silence.empty()) found.silence = cell.text;
      }
      for (const CellFigure& figure : group.figures) {
        if (figure.doubt) continue;
        Losses& losses = found.places[{{group.scheme, figure.method}, group.backend}];
        (regime == ClaimRegime::text ? losses.text : losses.images)[figure.model].push_back(figure);
      }
    }
  }
  return found;
}

/// `widening`: of the half-widths.
Interval difference(const Interval& more, const Interval& less, double widening = 1) {
  const double value = more.value - less.value;
  return {value, value - widening * std::hypot(more.value - more.low, less.high - less.value),
          value + widening * std::hypot(more.high - more.value, less.value - less.low),
          std::min(more.count, less.count)};
}

std::vector<CellFigure> all_of(const FiguresByModel& by_model) {
  std::vector<CellFigure> all;
  for (const auto& [model, figures] : by_model)
    all.insert(all.end(), figures.begin(), figures.end());
  return all;
}

struct Gap {
  Interval found;
  std::string note;
  int cells = 0;
  std::string regime{};
};

std::optional<Gap> task_gap(const Losses& losses) {
  if (losses.images.empty() || losses.text.empty()) return std::nullopt;
  const Interval images = mean_over_evaluations(all_of(losses.images));
  const Interval text = mean_over_evaluations(all_of(losses.text));
  return Gap{
      difference(text, images),
      fmt::format("the loss is {:.3g} % on images and {:.3g} % on text", images.value, text.value),
      static_cast<int>(losses.images.size() + losses.text.size()), "images, text"};
}

/// How much wider a 95 % interval is when `pairs` of them are to hold together.
double widening_for(std::size_t pairs) {
  const boost::math::normal normal;
  constexpr double kTail = 0.025;
  return quantile(complement(normal, kTail / static_cast<double>(pairs))) /
         quantile(complement(normal, kTail));
}

/// The clearest of the differences between two of the models.
std::optional<Gap> model_gap(const FiguresByModel& by_model, std::string_view regime) {
  std::vector<std::pair<std::string, Interval>> models;
  for (const auto& [model, figures] : by_model)
    models.emplace_back(model, mean_over_evaluations(figures));
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
              static_cast<int>(models.size()), std::string(regime)};
    }
  }
  return best;
}

/// Of models of one task where there are two, else of those of both tasks.
std::vector<Gap> model_gaps(const Losses& losses) {
  std::vector<Gap> gaps;
  if (auto gap = model_gap(losses.images, "images")) gaps.push_back(*gap);
  if (auto gap = model_gap(losses.text, "text")) gaps.push_back(*gap);
  if (!gaps.empty()) return gaps;
  FiguresByModel both = losses.images;
  both.insert(losses.text.begin(), losses.text.end());
  if (auto gap = model_gap(both, "images, text")) gaps.push_back(*gap);
  return gaps;
}

std::vector<Gap> task_gaps(const Losses& losses) {
  const std::optional<Gap> gap = task_gap(losses);
  return gap ? std::vector{*gap} : std::vector<Gap>{};
}

/// The method is named where the claim speaks of more than plain rounding.
std::string recipe_name(const Recipe& recipe, const ClaimPart& part) {
  const bool named = !recipe.second.empty() && part.methods != ClaimPart().methods;
  return named ? fmt::format("{} by {}", recipe.first, recipe.second) : recipe.first;
}

VerdictRow row_of(const Claim& claim, const ClaimPart& part, const Gap& gap,
                  const JudgeContext& context) {
  VerdictRow row = blank_row(claim, part, "", ClaimRegime::text);
  row.regime = gap.regime;
  set_estimate(row, gap.found);
  row.note = gap.note;
  row.cells = gap.cells;
  row.covered = gap.found.value >= part.claimed.low ? gap.cells : 0;
  if (context.quick) {
    set_verdict(row, Outcome::inconclusive, ReasonCode::underpowered);
    return row;
  }
  const Outcome outcome = decide(gap.found, part.claimed, claim.metric->better);
  // That there is a gap is claimed, and not how large it is.
  set_verdict(row, outcome == Outcome::better_than_claimed ? Outcome::confirmed : outcome,
              std::nullopt);
  return row;
}

}  // namespace

bool is_gap(const Claim& claim) {
  return claim.metric->name == kTaskGap || claim.metric->name == kModelGap;
}

std::vector<VerdictRow> judge_gaps(const Claim& claim, const ClaimPart& part,
                                   std::span<const Record> records, const JudgeContext& context) {
  const bool tasks = claim.metric->name == kTaskGap;
  std::vector<VerdictRow> rows;
  const Collected collected = collect(claim, part, records);
  for (const auto& [place, losses] : collected.places) {
    for (const Gap& gap : tasks ? task_gaps(losses) : model_gaps(losses)) {
      VerdictRow row = row_of(claim, part, gap, context);
      row.scheme = recipe_name(place.first, part);
      row.backend = place.second;
      rows.push_back(std::move(row));
    }
  }
  if (rows.empty()) {
    VerdictRow row =
        blank_row(claim, part, fmt::format("{}", fmt::join(part.schemes, ", ")), ClaimRegime::text);
    row.regime = tasks ? "images, text" : "";
    set_verdict(row, Outcome::not_testable, ReasonCode::not_comparable);
    row.note = !collected.silence.empty() ? collected.silence
               : tasks ? "the run does not evaluate both kinds of model in one scheme and backend"
                       : "the run does not evaluate two models in one scheme and backend";
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace qassay
