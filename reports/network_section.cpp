#include <fmt/format.h>

#include <limits>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

std::vector<const Cell*> timed_of(const Regime& regime) {
  std::vector<const Cell*> timed;
  for (const Cell* cell : regime.networks) {
    if (cell->find("latency") != nullptr) timed.push_back(cell);
  }
  return timed;
}

/// A speedup; FP32 has none over itself.
std::string speedup_text(const Cell& cell, std::string_view baseline) {
  const Record* speedup = cell.find("speedup", baseline);
  if (speedup == nullptr && cell.about->scheme == "FP32") return "is the baseline";
  return record_text(speedup);
}

bool is_text(const Cell& cell) { return !cell.about->kv_cache.empty(); }

/// What the chart of a regime shows: of images one by one, how long an answer takes; else how many
/// samples or tokens there are.
struct View {
  std::string_view metric, title;
  ChartAxis axis;
};
View view_of(const Cell& cell) {
  constexpr double kMilliseconds = 1e3;
  if (is_text(cell)) {
    return {"throughput", "Tokens a second", {"tokens a second (higher is better)"}};
  }
  if (cell.about->m == 1) {
    return {"latency", "Time to one answer", {"ms (lower is better)", kMilliseconds}};
  }
  return {"throughput", "Samples a second", {"samples a second (higher is better)"}};
}

std::string chart(const std::vector<const Cell*>& timed, std::string_view name, Charts& charts) {
  const View view = view_of(*timed.front());
  std::vector<ChartBar> bars;
  double reference = std::numeric_limits<double>::quiet_NaN();
  for (const Cell* cell : timed) {
    const Record* record = cell->trusted() ? cell->find(view.metric) : nullptr;
    const Record& about = *cell->about;
    if (record == nullptr || !has_plain_kv_cache(about)) continue;
    if (about.scheme == "FP32" && cell->find("speedup", "best-fp32") == nullptr) {
      reference = record->value;
    }
    bars.push_back({fmt::format("{} · {}", about.scheme, about.backend), about.backend,
                    figure_of(*record), record_text(record)});
  }
  return charts.bars(fmt::format("{}, {}; the dashed line is the fastest FP32", view.title, name),
                     view.axis, reference, bars);
}

std::string table(const std::vector<const Cell*>& timed, std::string_view name) {
  const Cell& first = *timed.front();
  const bool prefill = is_text(first) && first.about->m > 1;
  std::vector<Table::Column> columns{{"Scheme"}, {"Backend"}};
  if (is_text(first)) columns.push_back({"KV cache"});
  columns.push_back({is_text(first) ? "Tokens a second" : "Samples a second", true});
  columns.push_back({prefill ? "Time to the first token" : "Time a call", true});
  columns.push_back({"Against the fastest FP32", true});
  columns.push_back({"Against the same backend's FP32", true});
  columns.push_back({"Layers' share of the time", true});
  columns.push_back({"Legs", true});
  Table table(fmt::format("Speed of the whole network, {}", name), columns);
  for (const Cell* cell : timed) {
    const Record* latency = cell->find("latency");
    const Record* throughput = cell->find("throughput");
    table.row();
    table.cell(cell->about->scheme);
    table.cell(cell->about->backend);
    if (is_text(first)) table.cell(cell->about->kv_cache);
    table.raw(html(throughput == nullptr ? "–" : figure_text(figure_of(*throughput), "")) +
              doubt_mark(*cell));
    table.cell(record_text(latency));
    table.cell(speedup_text(*cell, "best-fp32"));
    table.cell(speedup_text(*cell, "own-fp32"));
    table.cell(record_text(cell->find("layers_fraction")));
    table.cell(fmt::format("{}", latency->count));
  }
  return table.text("");
}

}  // namespace

std::string network_section(const Results& results, Charts& charts) {
  std::string result;
  std::string model;
  for (const Regime& regime : results.regimes) {
    const std::vector<const Cell*> timed = timed_of(regime);
    if (timed.empty()) continue;
    const Record& about = regime.about();
    if (result.empty() || about.model != model) {
      model = about.model;
      result += fmt::format("<h3>{}</h3>\n", html(model));
    }
    const std::string place = network_words(about);
    const std::string name = fmt::format("{}, {}", model, place);
    result += fmt::format("<h4>{}</h4>\n{}{}", html(place), chart(timed, name, charts),
                          table(timed, name));
  }
  if (result.empty()) return "<p class=\"nothing\">No whole network was timed in this run.</p>\n";
  return "<p>A whole model from its input to its scores: every layer, and all that lies between "
         "them. A sample is one input of the model, an image for example. Of a language model, "
         "prefill "
         "goes from all tokens of a text to the scores of the next one, and decode from one token, "
         "behind those before it, to the next. The layers' share is what the layers take by "
         "themselves, one after the other.</p>\n" +
         result;
}

}  // namespace qassay
