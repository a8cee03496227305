#include <fmt/format.h>

#include <algorithm>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

/// What a case costs in correctness: its model's loss on real data where that was evaluated, else
/// the error of its layers' outputs.
struct Cost {
  Figure figure;
  std::string unit;
};

bool same_artifact(const Record& a, const Record& b) {
  return a.run == b.run && a.model == b.model && a.scheme == b.scheme && a.method == b.method &&
         a.backend == b.backend;
}

/// The FP32 that the others are compared with has no figure against itself: it loses nothing, by
/// definition.
std::optional<Cost> loss_of(const Results& results, const Record& about) {
  for (const Cell& cell : results.cells) {
    if (!cell.whole_model() || !cell.trusted() || !same_artifact(*cell.about, about) ||
        !has_plain_kv_cache(*cell.about)) {
      continue;
    }
    if (const Record* loss = cell.find_loss("loss")) return Cost{figure_of(*loss), loss->unit};
    if (about.scheme == "FP32" &&
        (cell.find("top1") != nullptr || cell.find("perplexity") != nullptr))
      return Cost{{}, "percent"};
  }
  return std::nullopt;
}

/// The mean over the layers' SQNR, with its smallest and largest as the ends: a span, no interval.
/// Nothing for FP32, whose error is rounding noise and would squeeze all others into a corner.
std::optional<Cost> sqnr_of(const Series& series) {
  if (series.about().scheme == "FP32") return std::nullopt;
  std::vector<double> values;
  for (const Cell* cell : series.layers) {
    const Record* sqnr = cell->trusted() ? cell->find_loss("sqnr") : nullptr;
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
  bool higher_is_better;
};
constexpr Kind kLoss = {"accuracy lost", "Accuracy lost, of the FP32 model's",
                        "accuracy lost, % of the FP32 model's (lower is better)", false};
constexpr Kind kSqnr = {"output error", "SQNR of the output: mean (worst–best layer)",
                        "SQNR of the layers' outputs, dB (higher is better)", true};

struct Row {
  const Record* about;
  Figure speed;
  Cost cost;

  std::string name() const { return fmt::format("{}\u00A0· {}", about->scheme, about->backend); }
};

/// Where a point stands against all others.
struct Standing {
  const Row* beaten_by = nullptr;  // faster and more accurate; nothing: on the frontier
  bool clearly = false;            // whole intervals apart, both ways

  std::string words() const {
    if (beaten_by == nullptr) return "on it";
    return clearly ? fmt::format("beaten by {}", beaten_by->name())
                   : fmt::format("behind {}, within the intervals", beaten_by->name());
  }
};

Standing standing_of(const Row& row, const std::vector<Row>& rows, const Kind& kind) {
  // Costs as "lower is better"; the ends of an SQNR are layers, not an interval.
  const auto cost = [&](const Row& each) {
    const Figure& figure = each.cost.figure;
    return kind.higher_is_better ? Figure{-figure.value, -figure.value, -figure.value} : figure;
  };
  Standing standing;
  for (const Row& other : rows) {
    const Figure mine = cost(row);
    const Figure its = cost(other);
    if (other.speed.value < row.speed.value || its.value > mine.value) continue;
    if (other.speed.value == row.speed.value && its.value == mine.value) continue;
    const bool clearly = other.speed.low > row.speed.high && its.high < mine.low;
    if (standing.beaten_by == nullptr || (clearly && !standing.clearly)) {
      standing = {&other, clearly};
    }
  }
  return standing;
}

std::string show(const Kind& kind, std::string_view name, std::string_view speed_column,
                 const std::vector<Row>& rows, Charts& charts) {
  if (rows.empty()) return {};
  const std::string title = fmt::format("Speed against {}, {}", kind.heading, name);
  Table table(title,
              {{"Scheme"}, {"Backend"}, {speed_column, true}, {kind.column, true}, {"Frontier"}});
  std::vector<ChartPoint> points;
  for (const Row& row : rows) {
    const std::string speed = figure_text(row.speed, "ratio");
    const std::string cost = figure_text(row.cost.figure, row.cost.unit);
    const Standing standing = standing_of(row, rows, kind);
    table.row();
    table.cell(row.about->scheme);
    table.cell(row.about->backend);
    table.cell(speed);
    table.cell(cost);
    table.cell(standing.words());
    points.push_back({row.name(), row.about->scheme, row.about->backend, row.speed, row.cost.figure,
                      fmt::format("{}, {}", speed, cost), standing.beaten_by == nullptr});
  }
  return fmt::format("<h3>{}</h3>\n", html(name)) +
         charts.scatter(title, {"times faster than the fastest FP32"}, {std::string(kind.axis)},
                        points) +
         table.text("");
}

/// The network's own speedup; the fastest FP32 is the one that has a time and none over itself.
std::optional<Figure> network_speed(const Cell& cell) {
  if (!cell.trusted()) return std::nullopt;
  if (const Record* speedup = cell.find("speedup", "best-fp32")) return figure_of(*speedup);
  if (cell.about->scheme == "FP32" && cell.find("latency") != nullptr) return Figure{1, 1, 1};
  return std::nullopt;
}

std::string show_network(const Results& results, const Regime& regime, Charts& charts) {
  std::vector<Row> losses;
  for (const Cell* cell : regime.networks) {
    if (!has_plain_kv_cache(*cell->about)) continue;
    const auto speed = network_speed(*cell);
    const auto loss = loss_of(results, *cell->about);
    if (speed && loss) losses.push_back({cell->about, *speed, *loss});
  }
  const Record& about = regime.about();
  return show(kLoss, fmt::format("{}, {}", about.model, network_words(about)),
              "The network against the fastest FP32", losses, charts);
}

std::string show_layers(const Results& results, const Regime& regime, Charts& charts) {
  std::vector<Row> losses, errors;
  for (const Series* series : regime.series) {
    const auto speed = mean_speedup(*series, "best-fp32");
    if (!speed) continue;
    const Record& about = series->about();
    if (const auto loss = loss_of(results, about)) losses.push_back({&about, speed->figure, *loss});
    if (const auto sqnr = sqnr_of(*series)) errors.push_back({&about, speed->figure, *sqnr});
  }
  const Record& about = regime.about();
  const std::string name =
      fmt::format("{}, {}", about.model, regime_words(about.m, about.cache, about.threads));
  constexpr std::string_view kColumn = "Mean over the layers, against the fastest FP32";
  return losses.empty() ? show(kSqnr, name, kColumn, errors, charts)
                        : show(kLoss, name, kColumn, losses, charts);
}

}  // namespace

std::string tradeoff_section(const Results& results, Charts& charts) {
  std::string result;
  for (const Regime& regime : results.regimes) {
    const std::string network = show_network(results, regime, charts);
    result += network.empty() ? show_layers(results, regime, charts) : network;
  }
  if (result.empty()) {
    return "<p class=\"nothing\">No scheme has both a speed and a loss in this run.</p>\n";
  }
  return "<p>Where a whole network was timed, its own speedup stands here; else the mean over its "
         "layers. A point is <strong>on the frontier</strong> (the dashed line) when no other is "
         "both faster and more accurate by its estimates. One is <em>beaten</em> where both "
         "intervals lie apart, and <em>behind</em> where they do not, so that another run may turn "
         "it round.</p>\n" +
         result;
}

}  // namespace qassay
