#include <fmt/format.h>

#include <algorithm>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

constexpr std::string_view kBest = "best-fp32";
constexpr std::string_view kOwn = "own-fp32";

std::string mean_text(const std::optional<LayerMean>& mean) {
  return mean ? figure_text(mean->figure, "ratio") : "–";
}

std::string chart(const Regime& regime, std::string_view name, Charts& charts) {
  std::vector<ChartBar> bars;
  for (const Series* series : regime.series) {
    const auto mean = mean_speedup(*series, kBest);
    if (!mean) continue;
    const Record& about = series->about();
    bars.push_back({fmt::format("{} · {}", about.scheme, about.backend), about.backend,
                    mean->figure, figure_text(mean->figure, "ratio")});
  }
  return charts.bars(fmt::format("Geometric mean over the layers, {}", name),
                     {"times faster than the fastest FP32"}, 1, bars);
}

std::string summary(const Regime& regime, std::string_view name) {
  Table table(fmt::format("Speed by scheme and backend, {}", name),
              {{"Scheme"},
               {"Backend"},
               {"Against the fastest FP32", true},
               {"Against the same backend's FP32", true},
               {"Slowest to fastest layer", true},
               {"Layers", true}});
  for (const Series* series : regime.series) {
    const auto best = mean_speedup(*series, kBest);
    const auto own = mean_speedup(*series, kOwn);
    if (!best && !own) continue;
    const LayerMean& any = best ? *best : *own;
    table.row();
    table.cell(series->about().scheme);
    table.cell(series->about().backend);
    table.cell(mean_text(best));
    table.cell(mean_text(own));
    table.cell(span_text(any.smallest, any.largest, "ratio"));
    table.cell(fmt::format("{} of {}", any.count, layer_count(*series)));
  }
  return table.text("No speedup was measured here.");
}

/// What ran, in one cell: kernel and what the library calls it, where that says more.
std::string ran(const Record& about) {
  if (about.implementation.empty() || about.implementation == about.kernel) return about.kernel;
  return about.kernel.empty() ? about.implementation
                              : fmt::format("{} ({})", about.kernel, about.implementation);
}

bool was_timed(const Cell* cell) { return cell->find("latency") != nullptr; }

Table layer_table(const Regime& regime, std::string_view name, std::size_t limit) {
  Table table(fmt::format("Every layer, {}", name),
              {{"Layer"},
               {"n × k"},
               {"Scheme"},
               {"Backend"},
               {"Time a call", true},
               {"Against the fastest FP32", true},
               {"Against its own FP32", true},
               {"Legs", true},
               {"What ran"}},
              limit);
  std::vector<const Cell*> cells;
  for (const Series* series : regime.series) {
    std::copy_if(series->layers.begin(), series->layers.end(), std::back_inserter(cells),
                 was_timed);
  }
  // Cells lie in reading order, layer by layer: pointers into one vector keep it.
  std::sort(cells.begin(), cells.end());
  for (const Cell* cell : cells) {
    const Record& about = *cell->about;
    const Record* latency = cell->find("latency");
    table.row();
    table.cell(about.layer);
    table.cell(fmt::format("{}\u00A0×\u00A0{}", about.n, about.k));
    table.cell(about.scheme);
    table.cell(about.backend);
    table.raw(html(record_text(latency)) + doubt_mark(*cell));
    table.cell(record_text(cell->find("speedup", kBest)));
    table.cell(record_text(cell->find("speedup", kOwn)));
    table.cell(fmt::format("{}", latency->count));
    table.cell(ran(about));
  }
  return table;
}

}  // namespace

std::string speed_section(const Results& results, Charts& charts) {
  std::string result;
  std::string model;
  std::size_t rows_left = kMaxTableRows;
  for (const Regime& regime : results.regimes) {
    if (std::none_of(regime.series.begin(), regime.series.end(), [](const Series* series) {
          return std::any_of(series->layers.begin(), series->layers.end(), was_timed);
        })) {
      continue;
    }
    const Record& about = regime.about();
    if (result.empty() || about.model != model) {
      model = about.model;
      result += fmt::format("<h3>{}</h3>\n", html(model));
    }
    const std::string place = regime_words(about.m, about.cache, about.threads);
    const std::string name = fmt::format("{}, {}", model, place);
    const Table layers = layer_table(regime, name, rows_left);
    rows_left -= layers.rows();
    result += fmt::format(
        "<h4>{}</h4>\n{}{}<details><summary>Every layer ({} rows)</summary>\n{}</details>\n",
        html(place), chart(regime, name, charts), summary(regime, name), layers.rows(),
        layers.text("No layer was timed here."));
  }
  return result.empty() ? "<p class=\"nothing\">No layer was timed in this run.</p>\n" : result;
}

}  // namespace qassay
