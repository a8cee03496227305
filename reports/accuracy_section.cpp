#include <fmt/format.h>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

std::string text_of(const Cell& cell, std::string_view metric) {
  const Record* record = cell.find(metric);
  return record == nullptr ? "–" : figure_text(figure_of(*record), record->unit);
}

Table table_for(const std::string& model) {
  return Table(fmt::format("Accuracy by scheme and backend, {}", model),
               {{"Scheme"},
                {"Method"},
                {"Backend"},
                {"Top-1", true},
                {"Lost, of the FP32 model's", true},
                {"Lost, in points", true},
                {"Errors, times FP32's", true},
                {"Same answer as FP32", true},
                {"Right → wrong", true},
                {"Wrong → right", true},
                {"Samples", true}});
}

}  // namespace

std::string accuracy_section(const Results& results) {
  std::string result;
  std::vector<std::pair<std::string, Table>> tables;  // by model, in order of appearance
  for (const Cell& cell : results.cells) {
    const Record* top1 = cell.find("top1");
    if (!cell.whole_model() || top1 == nullptr) continue;
    const Record& about = *cell.about;
    if (tables.empty() || tables.back().first != about.model) {
      tables.emplace_back(about.model, table_for(about.model));
    }
    Table& table = tables.back().second;
    table.row();
    table.cell(about.scheme);
    table.cell(about.method);
    table.cell(about.backend);
    table.raw(
        html(text_of(cell, "top1")) +
        (cell.trusted() ? "" : fmt::format(" <span class=\"mark\">{}</span>", html(about.status))));
    for (const std::string_view metric :
         {"loss", "loss_points", "loss_error_growth", "agreement", "flips_lost", "flips_won"}) {
      table.cell(text_of(cell, metric));
    }
    table.cell(fmt::format("{}", top1->count));
  }
  for (const auto& [model, table] : tables) {
    result += fmt::format("<h3>{}</h3>\n{}", html(model), table.text(""));
  }
  if (result.empty()) return "<p class=\"nothing\">No model was evaluated in this run.</p>\n";
  return "<p>Each model was evaluated through the same packed weights that were timed. Losses are "
         "paired sample by sample with the FP32 model and given three ways, because one point of "
         "99.5 % triples the errors.</p>\n" +
         result;
}

}  // namespace qassay
