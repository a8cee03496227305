// Methods beside each other: what they lose, against the bits of a weight, what quantizing took,
// and the samples that it looked at. Of runs that have several methods; on our backend where it has
// one, for the weights are the same on all.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/scheme.hpp"
#include "reports/error_section.hpp"
#include "reports/figure.hpp"
#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

constexpr std::string_view kOwnBackend = "cpu";
constexpr std::string_view kPlain = "rtn";

/// One model in one scheme by one method.
struct Row {
  const Cell* whole = nullptr;
  const Record* loss = nullptr;
  double weight_error = 0, output_error = 0;  // means over the layers

  const std::string& scheme() const { return whole->about->scheme; }
  const std::string& method() const { return whole->about->method; }
  std::string name() const { return fmt::format("{} · {}", method(), scheme()); }
};

/// Divergence where it is known: it tells near things apart that lost answers do not.
const Record* loss_of(const Cell& cell) {
  const Record* divergence = cell.find_loss("kl_mean");
  return divergence != nullptr ? divergence : cell.find_loss("loss");
}

double mean_of_layers(std::string_view metric, const Results& results, const Record& about) {
  double sum = 0;
  double count = 0;
  for (const Cell& cell : results.cells) {
    const Record& other = *cell.about;
    const Record* error = cell.find(metric);
    if (error == nullptr || other.run != about.run || other.model != about.model ||
        other.scheme != about.scheme || other.method != about.method ||
        other.backend != about.backend) {
      continue;
    }
    sum += error->value;
    ++count;
  }
  return count > 0 ? sum / count : std::nan("");
}

using ModelRows = std::pair<std::string, std::vector<Row>>;

std::vector<ModelRows> models_of(const Results& results) {
  std::vector<ModelRows> models;
  for (const Cell& cell : results.cells) {
    const Record& about = *cell.about;
    const bool counts = cell.whole_model() && cell.trusted() && has_plain_kv_cache(about) &&
                        about.method != "none" && loss_of(cell) != nullptr;
    if (!counts) continue;
    auto model = std::ranges::find(models, about.model, &ModelRows::first);
    if (model == models.end()) model = models.insert(models.end(), {about.model, {}});
    const auto known = std::ranges::find_if(model->second, [&](const Row& row) {
      return row.scheme() == about.scheme && row.method() == about.method;
    });
    Row row{&cell, loss_of(cell), mean_of_layers("weight_relative_error", results, about),
            mean_of_layers("h_weighted_error", results, about)};
    if (known == model->second.end()) {
      model->second.push_back(row);
    } else if (about.backend == kOwnBackend) {
      *known = row;
    }
  }
  std::erase_if(models, [](const ModelRows& model) {
    std::set<std::string> methods;
    for (const Row& row : model.second) methods.insert(row.method());
    return methods.size() < 2;
  });
  return models;
}

/// With the scales and zero points of blocks. Nothing for a text that is no scheme.
std::optional<double> bits_of(const std::string& scheme) {
  NumberFormat weights;
  try {
    weights = parse_scheme(scheme).weights;
  } catch (const InputError&) {
    return std::nullopt;
  }
  // What a scale a row adds depends on the layer, and is next to nothing.
  return weights.per == Granularity::block ? bits_per_number(weights, weights.block) : weights.bits;
}

ChartAxis loss_axis(const Record& loss) {
  if (loss.metric == "kl_mean")
    return {"mean KL divergence from FP32, millinats a token (lower is better)", 1e3};
  return {"lost of what FP32 gets right, % (lower is better)"};
}

std::string scatter(const ModelRows& model, std::string_view title, const ChartAxis& x, auto figure,
                    Charts& charts) {
  std::vector<ChartPoint> points;
  for (const Row& row : model.second) {
    const std::optional<Figure> place = figure(row);
    if (!place || row.method().find('@') != std::string::npos) continue;
    points.push_back({row.name(), row.scheme(), row.method(), *place, figure_of(*row.loss),
                      fmt::format("{:.3g}, {}", place->value * x.factor, record_text(row.loss))});
  }
  return charts.scatter(fmt::format("{}, {}", title, model.first), x,
                        loss_axis(*model.second.front().loss), points);
}

/// A method's name and the samples that it calibrates with; 128 where it says none.
std::pair<std::string, int> samples_of(const std::string& method) {
  constexpr int kUsual = 128;
  const std::size_t at = method.rfind('@');
  if (at == std::string::npos) return {method, kUsual};
  int samples = 0;
  std::from_chars(method.data() + at + 1, method.data() + method.size(), samples);
  return {method.substr(0, at), samples};
}

/// Of methods that were calibrated with several numbers of samples.
std::string by_samples(const ModelRows& model, Charts& charts) {
  std::map<std::pair<std::string, std::string>, std::map<int, const Record*>> lines;
  std::set<int> numbers;
  for (const Row& row : model.second) {
    const auto [method, samples] = samples_of(row.method());
    lines[{row.scheme(), method}][samples] = row.loss;
  }
  std::erase_if(lines, [](const auto& line) { return line.second.size() < 2; });
  if (lines.empty()) return {};
  for (const auto& [name, losses] : lines) {
    for (const auto& [samples, loss] : losses) numbers.insert(samples);
  }
  std::vector<std::string> places;
  for (const int samples : numbers) places.push_back(fmt::format("{} samples", samples));
  std::vector<Table::Column> columns{{"Scheme"}, {"Method"}};
  for (const std::string& place : places) columns.push_back({place, true});
  const std::string title = fmt::format("Loss by calibration samples, {}", model.first);
  Table table(title, columns);
  std::vector<ChartLine> drawn;
  for (const auto& [name, losses] : lines) {
    ChartLine line{fmt::format("{} · {}", name.second, name.first), {}, {}};
    table.row();
    table.cell(name.first);
    table.cell(name.second);
    for (const int samples : numbers) {
      const auto found = losses.find(samples);
      const Record* loss = found == losses.end() ? nullptr : found->second;
      table.cell(record_text(loss));
      line.values.push_back(loss == nullptr ? std::numeric_limits<double>::quiet_NaN()
                                            : loss->value);
      line.texts.push_back(record_text(loss));
      const double none = std::numeric_limits<double>::quiet_NaN();
      line.intervals.push_back(loss == nullptr ? Figure{none, none, none} : figure_of(*loss));
    }
    drawn.push_back(std::move(line));
  }
  return charts.lines(title, loss_axis(*model.second.front().loss), places, drawn) + table.text("");
}

/// What is left of the plain method's loss; "–" where that is not above 0.
std::string of_plain(const Row& row, const std::vector<Row>& rows) {
  for (const Row& plain : rows) {
    if (plain.method() != kPlain || plain.scheme() != row.scheme()) continue;
    if (row.method() == kPlain) return "1";
    return plain.loss->low > 0 ? fmt::format("{:.2g}", row.loss->value / plain.loss->value) : "–";
  }
  return "–";
}

std::string percent(double error) { return std::isnan(error) ? "–" : percent_text(error); }

std::string table_of(const ModelRows& model) {
  const bool text = model.second.front().loss->metric == "kl_mean";
  Table table(fmt::format("Loss and cost by scheme and method, {}", model.first),
              {{"Scheme"},
               {"Method"},
               {text ? "KL divergence, mean" : "Lost of what FP32 gets right", true},
               {"Of that by rtn", true},
               {"Error of the weights, mean of layers", true},
               {"Of outputs on calibration data (H-weighted), mean of layers", true},
               {"To quantize", true},
               {"Peak memory", true}});
  for (const Row& row : model.second) {
    table.row();
    table.cell(row.scheme());
    table.cell(row.method());
    table.cell(record_text(row.loss));
    table.cell(of_plain(row, model.second));
    table.cell(percent(row.weight_error));
    table.cell(percent(row.output_error));
    table.cell(record_text(row.whole->find("quantize_seconds")));
    table.cell(record_text(row.whole->find("quantize_peak_bytes")));
  }
  return table.text("");
}

/// The scheme that plain rounding loses most in: where methods have most to win.
std::string hardest_scheme(const ModelRows& model) {
  const Row* hardest = nullptr;
  for (const Row& row : model.second) {
    if (row.method() != kPlain) continue;
    if (hardest == nullptr || row.loss->value > hardest->loss->value) hardest = &row;
  }
  return hardest == nullptr ? "" : hardest->scheme();
}

/// Of each method in that scheme, with the errors of the layers before.
std::string through_the_layers(const ModelRows& model, const Results& results, Charts& charts) {
  const std::string scheme = hardest_scheme(model);
  for (const Regime& regime : results.regimes) {
    if (regime.about().model != model.first) continue;
    std::vector<NamedSeries> chosen;
    for (const Series* series : regime.series) {
      const Record& about = series->about();
      const bool counts = about.scheme == scheme && accumulates(*series) &&
                          about.method.find_first_of("@+") == std::string::npos;
      if (!counts) continue;
      const auto same = std::ranges::find(chosen, about.method, &NamedSeries::name);
      if (same == chosen.end()) {
        chosen.push_back({about.method, series});
      } else if (about.backend == kOwnBackend) {
        same->series = series;
      }
    }
    if (chosen.size() < 2) continue;
    return layer_errors(fmt::format("Error through the layers in {}, {}", scheme, model.first),
                        kErrorAccumulated, layers_of(regime), chosen, charts);
  }
  return {};
}

std::string show(const ModelRows& model, const Results& results, Charts& charts) {
  const auto bits = [](const Row& row) -> std::optional<Figure> {
    const std::optional<double> value = bits_of(row.scheme());
    if (!value) return std::nullopt;
    return Figure{*value, *value, *value};
  };
  const auto seconds = [](const Row& row) -> std::optional<Figure> {
    const Record* found = row.whole->find("quantize_seconds");
    if (found == nullptr || found->value <= 0) return std::nullopt;
    const double decades = std::log10(found->value);
    return Figure{decades, decades, decades};
  };
  return fmt::format("<h3>{}</h3>\n", html(model.first)) +
         scatter(model, "Loss against bits", {"bits a weight of the format, with scales"}, bits,
                 charts) +
         scatter(model, "Loss against the time to quantize", {"log10 of seconds"}, seconds,
                 charts) +
         table_of(model) + through_the_layers(model, results, charts) + by_samples(model, charts);
}

}  // namespace

std::string methods_section(const Results& results, Charts& charts) {
  std::string result;
  for (const ModelRows& model : models_of(results)) result += show(model, results, charts);
  if (!result.empty()) return result;
  return "<p class=\"legend\">This run quantizes by one method. <code>qassay run methods</code> "
         "compares several: what each loses, and what it takes to quantize by it.</p>\n";
}

}  // namespace qassay
