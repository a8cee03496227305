#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/statistics.hpp"
#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

constexpr std::size_t kMaxCells = 5000;  // of all layer tables: some 150 bytes each
constexpr std::string_view kReadRate = "read-rate";
constexpr std::string_view kPeer = "best-peer";

/// What one layer reached, in one scheme on one backend.
struct Reached {
  const Cell* cell = nullptr;
  const Record* operation_rate = nullptr;
  const Record* bandwidth = nullptr;  // null where nothing is known of the bytes
  const Record* fraction = nullptr;   // null where the machine has no probe for the ceiling

  bool by_memory() const {
    return bandwidth != nullptr &&
           (fraction == nullptr ? cell->about->cache == "cold" : fraction->baseline == kReadRate);
  }
  /// The rate that the ceiling bounds, and the other one.
  const Record* first() const { return by_memory() ? bandwidth : operation_rate; }
  const Record* second() const { return by_memory() ? operation_rate : bandwidth; }
};

/// Where several kernels of a backend ran the layer, the fastest stands for it.
std::optional<Reached> reached_at(const Series& series, std::string_view layer) {
  std::optional<Reached> best;
  for (const Cell* cell : series.layers) {
    const Record* rate = cell->find("operation_rate");
    if (cell->about->layer != layer || rate == nullptr) continue;
    if (best && best->operation_rate->value >= rate->value) continue;
    best = {cell, rate, cell->find("bandwidth"), cell->find("ceiling_fraction")};
  }
  return best;
}

bool reached_anything(const Series* series) {
  return std::ranges::any_of(
      series->layers, [](const Cell* cell) { return cell->find("operation_rate") != nullptr; });
}

std::string short_text(double value, std::string_view unit) {
  return span_text(value, value, unit);
}

std::string share_text(double fraction) {
  return fmt::format("{:.{}f}\u00A0%", 100 * fraction, fraction < 0.1 ? 1 : 0);
}

std::string shade(double fraction) {
  return fmt::format(" style=\"--reached:{:.0f}%\"", 100 * std::clamp(fraction, 0.0, 1.0));
}

std::string peer_text(double speedup) {
  return fmt::format("<small>{} best peer</small>", html(short_text(speedup, "ratio")));
}

void put_layer(Table& table, const std::optional<Reached>& reached) {
  if (!reached) {
    table.cell("–");
    return;
  }
  const Record& first = *reached->first();
  std::string text = html(short_text(first.value, first.unit));
  if (reached->fraction != nullptr) text += " · " + share_text(reached->fraction->value);
  text += doubt_mark(*reached->cell);
  if (const Record* second = reached->second())
    text += fmt::format("<small>{}</small>", html(short_text(second->value, second->unit)));
  if (const Record* peer = reached->cell->find("speedup", kPeer)) text += peer_text(peer->value);
  const bool shaded = reached->fraction != nullptr && reached->cell->trusted();
  table.raw(text, shaded ? shade(reached->fraction->value) : "");
}

/// A regime in which something was reached.
struct Part {
  const Regime* regime = nullptr;
  std::vector<std::string> layers;
  std::string name;

  const Series* find(const Record& like) const {
    const auto found = std::ranges::find_if(regime->series, [&](const Series* series) {
      const Record& about = series->about();
      return about.scheme == like.scheme && about.method == like.method &&
             about.backend == like.backend;
    });
    return found == regime->series.end() ? nullptr : *found;
  }
};

Table layer_table(const Part& part, std::string_view name, std::size_t limit) {
  std::vector<Table::Column> columns = {{"Scheme"}, {"Backend"}};
  for (const std::string& layer : part.layers) columns.push_back({layer, true});
  Table table(fmt::format("What each layer reached, {}", name), columns, limit);
  for (const Series* series : part.regime->series) {
    if (!reached_anything(series)) continue;
    table.row();
    table.cell(series->about().scheme);
    table.cell(series->about().backend);
    for (const std::string& layer : part.layers) put_layer(table, reached_at(*series, layer));
  }
  return table;
}

std::string ceiling_words(std::string_view ceiling) {
  if (ceiling == kReadRate) return "reading memory";
  if (ceiling == "f32-peak") return "FP32 arithmetic";
  if (ceiling == "bf16-peak") return "BF16 arithmetic";
  if (ceiling == "int8-peak") return "INT8 arithmetic";
  if (ceiling == "int16-peak") return "INT8 arithmetic, twice";
  return std::string(ceiling);
}

/// The ceilings that the shares are of, as a sentence: a rate over its share of the ceiling.
std::string ceilings_text(const Part& part) {
  struct Seen {
    double least, most;
    std::string unit;
  };
  std::map<std::string, Seen> ceilings;
  for (const Series* series : part.regime->series) {
    for (const std::string& layer : part.layers) {
      const auto reached = reached_at(*series, layer);
      if (!reached || reached->fraction == nullptr || reached->fraction->value <= 0) continue;
      const double ceiling = reached->first()->value / reached->fraction->value;
      const auto [at, added] = ceilings.try_emplace(reached->fraction->baseline,
                                                    Seen{ceiling, ceiling, reached->first()->unit});
      at->second.least = std::min(at->second.least, ceiling);
      at->second.most = std::max(at->second.most, ceiling);
    }
  }
  if (ceilings.empty()) return "<p class=\"legend\">No ceiling was probed.</p>\n";
  std::string words;
  for (const auto& [name, seen] : ceilings) {
    if (!words.empty()) words += ", ";
    words += fmt::format("{} {}", ceiling_words(name), span_text(seen.least, seen.most, seen.unit));
  }
  return fmt::format("<p class=\"legend\">The ceilings that were probed beside it: {}.</p>\n",
                     html(words));
}

/// Geometric mean of the layers' shares; nothing where none is trusted.
std::optional<double> mean_share(const Series& series, const std::vector<std::string>& layers) {
  std::vector<double> shares;
  for (const std::string& layer : layers) {
    const auto reached = reached_at(series, layer);
    if (reached && reached->cell->trusted() && reached->fraction != nullptr &&
        reached->fraction->value > 0) {
      shares.push_back(reached->fraction->value);
    }
  }
  if (shares.empty()) return std::nullopt;
  return geometric_mean(shares);
}

void put_mean(Table& table, const Series* series, const std::vector<std::string>& layers) {
  std::string text = "–";
  std::string attributes;
  if (series != nullptr) {
    if (const auto share = mean_share(*series, layers)) {
      text = share_text(*share);
      attributes = shade(*share);
    }
    if (const auto peer = mean_speedup(*series, kPeer)) text += peer_text(peer->figure.value);
  }
  table.raw(text, attributes);
}

/// A model at a glance: a row a scheme, method and backend, a column a regime.
std::string summary(const std::vector<Part>& parts, std::string_view model) {
  std::vector<Table::Column> columns = {{"Scheme"}, {"Backend"}};
  for (const Part& part : parts) columns.push_back({part.name, true});
  Table table(fmt::format("Share of the ceiling by scheme, backend and regime, {}", model),
              columns);
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    for (const Series* series : part->regime->series) {
      const Record& about = series->about();
      const bool there = std::any_of(parts.begin(), part, [&](const Part& before) {
        const Series* same = before.find(about);
        return same != nullptr && reached_anything(same);
      });
      if (there || !reached_anything(series)) continue;
      table.row();
      table.cell(about.scheme);
      table.cell(about.backend);
      for (const Part& each : parts) put_mean(table, each.find(about), each.layers);
    }
  }
  return table.text("");
}

std::string details(const Part& part, std::string_view model, std::size_t& cells_left) {
  const Table table =
      layer_table(part, fmt::format("{}, {}", model, part.name), cells_left / part.layers.size());
  cells_left -= table.rows() * part.layers.size();
  return fmt::format(
      "<h4>{}</h4>\n{}<details><summary>Every layer ({} rows)</summary>\n{}</details>\n",
      html(part.name), ceilings_text(part), table.rows(), table.text(""));
}

constexpr std::string_view kHowToRead =
    "<p>How much of what the machine can do each layer reached: the rate, and its share of a "
    "ceiling that was probed between the rounds of the same processes; the stronger the colour, "
    "the nearer. With cold weights the ceiling is the rate at which memory is read, and the bytes "
    "are the scheme's own packed ones; with several rows arithmetic may hold a layer back before "
    "that. With hot weights it is the peak of the arithmetic that the kernel computes with; how "
    "fast a cache gives weights is not probed, so that few rows show a small share there however "
    "good the kernel is.</p>\n"
    "<p>The first table has the geometric mean over a model's layers. “1.2× best peer”: the "
    "fastest library with the same weights takes 1.2 times as long as this kernel of ours. The "
    "intervals are in the export.</p>\n";

}  // namespace

std::string roofline_section(const Results& results) {
  std::vector<std::pair<std::string, std::vector<Part>>> models;
  for (const Regime& regime : results.regimes) {
    if (std::ranges::none_of(regime.series, reached_anything)) continue;
    const Record& about = regime.about();
    if (models.empty() || models.back().first != about.model) models.push_back({about.model, {}});
    models.back().second.push_back(
        {&regime, layers_of(regime), regime_words(about.m, about.cache, about.threads)});
  }
  if (models.empty())
    return "<p class=\"nothing\">This run did not record what its layers reached.</p>\n";
  std::string result(kHowToRead);
  std::size_t cells_left = kMaxCells;
  for (const auto& [model, parts] : models) {
    result += fmt::format("<h3>{}</h3>\n{}", html(model), summary(parts, model));
    for (const Part& part : parts) result += details(part, model, cells_left);
  }
  return result;
}

}  // namespace qassay
