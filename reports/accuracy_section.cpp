#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

/// The range of loss that is claimed of each scheme, in percent. A verdict row does not name its
/// metric; a measured percentage of which less is better is a loss.
using ClaimedLosses = std::map<std::string_view, Band>;

ClaimedLosses claimed_losses(const std::vector<VerdictRow>& verdicts) {
  ClaimedLosses claimed;
  for (const VerdictRow& row : verdicts) {
    const bool percent = row.unit == "%" || row.unit == "percent";
    if (!percent || row.better != "lower" || row.kind != "measured") continue;
    claimed.try_emplace(row.scheme, Band{row.claimed_low, row.claimed_high});
  }
  return claimed;
}

using ModelCells = std::pair<std::string, std::vector<const Cell*>>;

std::vector<ModelCells> evaluated_models(const Results& results) {
  std::vector<ModelCells> models;
  for (const Cell& cell : results.cells) {
    if (!cell.whole_model() || cell.find("top1") == nullptr) continue;
    if (models.empty() || models.back().first != cell.about->model) {
      models.push_back({cell.about->model, {}});
    }
    models.back().second.push_back(&cell);
  }
  return models;
}

std::string chart(const ModelCells& model, const ClaimedLosses& claimed, Charts& charts) {
  std::vector<ChartBar> bars;
  bool any_claim = false;
  for (const Cell* cell : model.second) {
    const Record* loss = cell->trusted() ? cell->find("loss") : nullptr;
    if (loss == nullptr) continue;
    const auto claim = claimed.find(loss->scheme);
    ChartBar bar = {fmt::format("{} · {}", loss->scheme, loss->backend), loss->backend,
                    figure_of(*loss), record_text(loss)};
    if (claim != claimed.end()) bar.band = claim->second;
    any_claim = any_claim || bar.band;
    bars.push_back(bar);
  }
  return charts.bars(fmt::format("Accuracy lost, {}{}", model.first,
                                 any_claim ? "; the band is what is claimed" : ""),
                     {"% of the FP32 model's top-1 (lower is better)"}, 0, bars);
}

std::string table(const ModelCells& model, const ClaimedLosses& claimed) {
  Table table(fmt::format("Accuracy by scheme and backend, {}", model.first),
              {{"Scheme"},
               {"Method"},
               {"Backend"},
               {"Top-1", true},
               {"Lost, of the FP32 model's", true},
               {"Claimed", true},
               {"Lost, in points", true},
               {"Errors, times FP32's", true}});
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::int64_t most = 0;
  for (const Cell* cell : model.second) {
    const Record& about = *cell->about;
    const Record* top1 = cell->find("top1");
    const auto claim = claimed.find(about.scheme);
    table.row();
    table.cell(about.scheme);
    table.cell(about.method);
    table.cell(about.backend);
    table.raw(html(record_text(top1)) + doubt_mark(*cell));
    table.cell(record_text(cell->find("loss")));
    table.cell(claim == claimed.end()
                   ? "–"
                   : range_text(claim->second.low, claim->second.high, "percent"));
    const Record* points = cell->find("loss_points");
    table.cell(points == nullptr ? "–" : figure_text(figure_of(*points), ""));
    table.cell(record_text(cell->find("loss_error_growth")));
    least = std::min(least, top1->count);
    most = std::max(most, top1->count);
  }
  const std::string samples =
      least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  return fmt::format("<p class=\"legend\">On {} samples.</p>\n", samples) + table.text("");
}

}  // namespace

std::string accuracy_section(const Results& results, const std::vector<VerdictRow>& verdicts,
                             Charts& charts) {
  const ClaimedLosses claimed = claimed_losses(verdicts);
  std::string result = losses_side_by_side(results, charts);
  for (const ModelCells& model : evaluated_models(results)) {
    result += fmt::format("<h3>{}</h3>\n{}{}", html(model.first), chart(model, claimed, charts),
                          table(model, claimed));
  }
  result += language_losses(results, charts);
  if (result.empty()) return "<p class=\"nothing\">No model was evaluated in this run.</p>\n";
  return "<p>Each model was evaluated through the same packed weights that were timed. Losses are "
         "paired with the FP32 model, image by image or window of text by window, and given in "
         "several "
         "ways, because one point of 99.5 % triples the errors. A loss below zero is a "
         "gain.</p>\n" +
         result;
}

}  // namespace qassay
