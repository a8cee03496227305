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

/// What the chart of a regime shows: one by one, how long an answer takes; else how many there are.
struct View {
  std::string_view metric, title;
  ChartAxis axis;
};
View view_of(const Record& about) {
  constexpr double kMilliseconds = 1e3;
  if (about.m == 1) {
    return {"latency", "Time to one answer", {"ms (lower is better)", kMilliseconds}};
  }
  return {"throughput", "Samples a second", {"samples a second (higher is better)"}};
}

std::string chart(const std::vector<const Cell*>& timed, std::string_view name, Charts& charts) {
  const View view = view_of(*timed.front()->about);
  std::vector<ChartBar> bars;
  double reference = std::numeric_limits<double>::quiet_NaN();
  for (const Cell* cell : timed) {
    const Record* record = cell->trusted() ? cell->find(view.metric) : nullptr;
    if (record == nullptr) continue;
    const Record& about = *cell->about;
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
  Table table(fmt::format("Speed of the whole network, {}", name),
              {{"Scheme"},
               {"Backend"},
               {"Samples a second", true},
               {"Time a call", true},
               {"Against the fastest FP32", true},
               {"Against the same backend's FP32", true},
               {"Legs", true}});
  for (const Cell* cell : timed) {
    const Record* latency = cell->find("latency");
    const Record* throughput = cell->find("throughput");
    table.row();
    table.cell(cell->about->scheme);
    table.cell(cell->about->backend);
    table.raw(html(throughput == nullptr ? "–" : figure_text(figure_of(*throughput), "")) +
              doubt_mark(*cell));
    table.cell(record_text(latency));
    table.cell(speedup_text(*cell, "best-fp32"));
    table.cell(speedup_text(*cell, "own-fp32"));
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
    const std::string place = network_words(about.m, about.threads);
    const std::string name = fmt::format("{}, {}", model, place);
    result += fmt::format("<h4>{}</h4>\n{}{}", html(place), chart(timed, name, charts),
                          table(timed, name));
  }
  if (result.empty()) return "<p class=\"nothing\">No whole network was timed in this run.</p>\n";
  return "<p>A whole model from its input to its scores: every layer, and all that lies between "
         "them. A sample is one input of the model, an image for example.</p>\n" +
         result;
}

}  // namespace qassay
