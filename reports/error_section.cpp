#include "reports/error_section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

const Record* error_at(const Series& series, std::string_view layer, std::string_view metric) {
  for (const Cell* cell : series.layers) {
    if (cell->about->layer != layer || !cell->trusted()) continue;
    if (const Record* record = cell->find_loss(metric)) return record;
  }
  return nullptr;
}

/// One series a scheme and method: the project's own backend where it has one. FP32 is left out,
/// whose error is rounding noise.
std::vector<const Series*> one_a_scheme(const Regime& regime) {
  std::vector<const Series*> chosen;
  for (const Series* series : regime.series) {
    const Record& about = series->about();
    if (about.scheme == "FP32" || !accumulates(*series)) continue;
    const auto same = std::find_if(chosen.begin(), chosen.end(), [&](const Series* other) {
      return other->about().scheme == about.scheme && other->about().method == about.method;
    });
    if (same == chosen.end()) {
      chosen.push_back(series);
    } else if (about.backend == "cpu") {
      *same = series;
    }
  }
  return chosen;
}

std::string name_of(const Series& series) {
  const Record& about = series.about();
  const bool plain = about.method == "none" || about.method == "rtn" || about.method.empty();
  return plain ? about.scheme : fmt::format("{} {}", about.scheme, about.method);
}

std::string error_text(const Record* record) {
  return record == nullptr ? "–" : span_text(record->value, record->value, "fraction");
}

/// "All on cpu", or each scheme with its backend.
std::string backends_words(const std::vector<const Series*>& chosen) {
  const std::string& first = chosen.front()->about().backend;
  if (std::ranges::all_of(chosen,
                          [&](const Series* series) { return series->about().backend == first; })) {
    return fmt::format("All on {}", first);
  }
  std::string words;
  for (const Series* series : chosen) {
    if (!words.empty()) words += ", ";
    words += fmt::format("{} on {}", name_of(*series), series->about().backend);
  }
  return words;
}

}  // namespace

bool accumulates(const Series& series) {
  return std::any_of(series.layers.begin(), series.layers.end(), [](const Cell* cell) {
    return cell->trusted() && cell->find_loss(kErrorAccumulated) != nullptr;
  });
}

std::string layer_errors(std::string_view title, std::string_view metric,
                         const std::vector<std::string>& layers,
                         const std::vector<NamedSeries>& chosen, Charts& charts) {
  std::vector<ChartLine> lines;
  for (const auto& [name, series] : chosen) {
    ChartLine& line = lines.emplace_back();
    line.label = fmt::format("{} · {}", name, series->about().backend);
    for (const std::string& layer : layers) {
      const Record* record = error_at(*series, layer, metric);
      line.values.push_back(record == nullptr ? std::numeric_limits<double>::quiet_NaN()
                                              : record->value);
      line.texts.push_back(error_text(record));
    }
  }
  std::vector<Table::Column> columns = {{"Layer"}};
  for (const NamedSeries& each : chosen) columns.push_back({each.name, true});
  Table table(title, columns);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    table.row();
    table.cell(layers[i]);
    for (const ChartLine& line : lines) table.cell(line.texts[i]);
  }
  return charts.lines(title, {"relative error of the output, %", 100}, layers, lines) +
         table.text("");
}

std::string error_section(const Results& results, Charts& charts) {
  std::string result;
  for (const Regime& regime : results.regimes) {
    const std::vector<const Series*> chosen = one_a_scheme(regime);
    if (chosen.empty()) continue;
    const Record& about = regime.about();
    const std::vector<std::string> layers = layers_of(regime);
    std::vector<NamedSeries> named;
    for (const Series* series : chosen) named.push_back({name_of(*series), series});
    result += fmt::format(
        "<h3>{}, {}</h3>\n<p class=\"legend\">{}.</p>\n<h4>With the errors of the layers "
        "before</h4>\n{}<h4>Each layer alone</h4>\n{}",
        html(about.model), html(network_words(about)), html(backends_words(chosen)),
        layer_errors(fmt::format("Accumulated error, layer by layer, {}", about.model),
                     kErrorAccumulated, layers, named, charts),
        layer_errors(fmt::format("Error of each layer alone, {}", about.model), kErrorAlone, layers,
                     named, charts));
  }
  if (result.empty()) {
    return "<p class=\"nothing\">No network's layers were followed in this run.</p>\n";
  }
  return "<p>How far each layer's output lies from FP32's, layer by layer in the order of the "
         "network: once inside the quantized network, where it is given what the layers before it "
         "made of the input, and once alone, given what FP32 gives it. Where the first stays near "
         "the second, errors do not pile up.</p>\n" +
         result;
}

}  // namespace qassay
