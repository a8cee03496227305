// The losses of all evaluated models by scheme. Each is in percent of what the FP32 model gets
// right: classes of images, next tokens of text.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

constexpr std::string_view kOwnBackend = "cpu";

/// Of one scheme and method: the loss by model, on our backend where it has one.
struct SchemeLosses {
  std::string scheme, method;
  std::map<std::string, const Record*> by_model;
};

void take(const Cell& cell, const Record& loss, std::vector<SchemeLosses>& all) {
  const Record& about = *cell.about;
  auto row = std::ranges::find_if(all, [&](const SchemeLosses& other) {
    return other.scheme == about.scheme && other.method == about.method;
  });
  if (row == all.end()) row = all.insert(all.end(), {about.scheme, about.method, {}});
  const Record*& known = row->by_model[about.model];
  if (known == nullptr || about.backend == kOwnBackend) known = &loss;
}

}  // namespace

std::string losses_side_by_side(const Results& results, Charts& charts) {
  std::vector<SchemeLosses> schemes;
  std::vector<std::string> models;
  for (const Cell& cell : results.cells) {
    const bool counts = cell.whole_model() && cell.trusted() && has_plain_kv_cache(*cell.about);
    const Record* loss = counts ? cell.find_loss("loss") : nullptr;
    if (loss == nullptr) continue;
    take(cell, *loss, schemes);
    if (std::ranges::count(models, loss->model) == 0) models.push_back(loss->model);
  }
  if (models.size() < 2) return {};

  std::vector<Table::Column> columns{{"Scheme"}, {"Method"}};
  for (const std::string& model : models) columns.push_back({model, true});
  Table table("Loss by scheme, model beside model", columns);
  std::vector<ChartBar> bars;
  for (const SchemeLosses& row : schemes) {
    table.row();
    table.cell(row.scheme);
    table.cell(row.method);
    for (const std::string& model : models) {
      const auto found = row.by_model.find(model);
      const Record* loss = found == row.by_model.end() ? nullptr : found->second;
      table.cell(record_text(loss));
      if (loss != nullptr) {
        bars.push_back({fmt::format("{} · {}", row.scheme, model), model, figure_of(*loss),
                        record_text(loss)});
      }
    }
  }
  return "<h3>Models beside each other</h3>\n" +
         charts.bars("Loss by scheme and model",
                     {"% of what the FP32 model gets right (lower is better)"}, 0, bars) +
         table.text("");
}

}  // namespace qassay
