#include <fmt/format.h>

#include <algorithm>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

/// What a series costs in correctness: its model's loss on real data where that was evaluated,
/// else the error of its layers' outputs.
struct Cost {
  Figure figure;
  std::string unit;
};

bool same_artifact(const Record& a, const Record& b) {
  return a.run == b.run && a.model == b.model && a.scheme == b.scheme && a.method == b.method &&
         a.backend == b.backend;
}

std::optional<Cost> loss_of(const Results& results, const Series& series) {
  for (const Cell& cell : results.cells) {
    if (!cell.whole_model() || !cell.trusted() || !same_artifact(*cell.about, series.about()))
      continue;
    if (const Record* loss = cell.find("loss")) return Cost{figure_of(*loss), loss->unit};
  }
  return std::nullopt;
}

/// The mean over the layers' SQNR, with its smallest and largest as the ends: a span, no interval.
/// Nothing for FP32, whose error is rounding noise and would squeeze all others into a corner.
std::optional<Cost> sqnr_of(const Series& series) {
  if (series.about().scheme == "FP32") return std::nullopt;
  std::vector<double> values;
  for (const Cell* cell : series.layers) {
    const Record* sqnr = cell->trusted() ? cell->find("sqnr") : nullptr;
    if (sqnr != nullptr) values.push_back(sqnr->value);
  }
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return Cost{{sum / static_cast<double>(values.size()), *least, *most}, "dB"};
}

struct Kind {
  std::string_view heading, column, axis;
};
constexpr Kind kLoss = {"accuracy lost", "Accuracy lost, of the FP32 model's",
                        "accuracy lost, % of the FP32 model's (lower is better)"};
constexpr Kind kSqnr = {"output error", "SQNR of the output: mean (worst–best layer)",
                        "SQNR of the layers' outputs, dB (higher is better)"};

struct Row {
  const Series* series;
  Figure speed;
  Cost cost;
};

std::string show(const Kind& kind, const std::vector<Row>& rows, Charts& charts) {
  if (rows.empty()) return {};
  const Record& first = rows.front().series->about();
  const std::string name =
      fmt::format("{}, {}", first.model, regime_words(first.m, first.cache, first.threads));
  const std::string title = fmt::format("Speed against {}, {}", kind.heading, name);
  Table table(title,
              {{"Scheme"}, {"Backend"}, {"Against the fastest FP32", true}, {kind.column, true}});
  std::vector<ChartPoint> points;
  for (const Row& row : rows) {
    const Record& about = row.series->about();
    const std::string speed = figure_text(row.speed, "ratio");
    const std::string cost = figure_text(row.cost.figure, row.cost.unit);
    table.row();
    table.cell(about.scheme);
    table.cell(about.backend);
    table.cell(speed);
    table.cell(cost);
    points.push_back({fmt::format("{} · {}", about.scheme, about.backend), about.scheme,
                      about.backend, row.speed, row.cost.figure,
                      fmt::format("{}, {}", speed, cost)});
  }
  return fmt::format("<h3>{}</h3>\n", html(name)) +
         charts.scatter(title, {"times faster than the fastest FP32"}, {std::string(kind.axis)},
                        points) +
         table.text("");
}

bool same_place(const Record& a, const Record& b) {
  return a.model == b.model && a.m == b.m && a.cache == b.cache && a.threads == b.threads;
}

}  // namespace

std::string tradeoff_section(const Results& results, Charts& charts) {
  std::string result;
  std::vector<Row> losses, errors;
  const Record* place = nullptr;
  const auto flush = [&] {
    result += losses.empty() ? show(kSqnr, errors, charts) : show(kLoss, losses, charts);
    losses.clear();
    errors.clear();
  };
  for (const Series& series : results.series) {
    if (place != nullptr && !same_place(*place, series.about())) flush();
    place = &series.about();
    const auto speed = mean_speedup(series, "best-fp32");
    if (!speed) continue;
    if (const auto loss = loss_of(results, series))
      losses.push_back({&series, speed->figure, *loss});
    if (const auto sqnr = sqnr_of(series)) errors.push_back({&series, speed->figure, *sqnr});
  }
  flush();
  if (result.empty()) {
    return "<p class=\"nothing\">No scheme has both a speed and a loss in this run.</p>\n";
  }
  return result;
}

}  // namespace qassay
