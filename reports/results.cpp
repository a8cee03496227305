#include "reports/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "core/error.hpp"
#include "core/scheme.hpp"
#include "core/statistics.hpp"
#include "reports/html.hpp"

namespace qassay {
namespace {

/// Wide formats first; a text that is no scheme comes last.
auto scheme_rank(const std::string& text) {
  using Rank = std::tuple<int, int, bool, std::int64_t, std::string>;
  constexpr int kUnknown = std::numeric_limits<int>::max();
  try {
    const Scheme scheme = parse_scheme(text);
    return Rank{static_cast<int>(scheme.weights.kind), -scheme.weights.bits,
                scheme.quantizes_input(), scheme.weights.block, text};
  } catch (const InputError&) {
    return Rank{kUnknown, 0, false, 0, text};
  }
}

/// Numbers names in the order in which they first appear.
template <class Name>
class Appearance {
 public:
  int of(const Name& name) {
    return order_.try_emplace(name, static_cast<int>(order_.size())).first->second;
  }

 private:
  std::map<Name, int> order_;
};

auto series_key(const Record& record) {
  return std::tie(record.run, record.model, record.m, record.cache, record.threads, record.scheme,
                  record.method, record.backend);
}

auto regime_key(const Record& record) {
  return std::tie(record.model, record.m, record.cache, record.threads);
}

/// Whether the interval is one over legs that core can take apart.
bool is_readable(const Record& record) {
  const bool ordered = record.low > 0 && record.low <= record.value &&
                       record.value <= record.high && std::isfinite(record.high);
  return ordered && (record.low == record.high || record.count >= 2);
}

}  // namespace

const Record* Cell::find(std::string_view metric) const {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [&](const Record* record) { return record->metric == metric; });
  return found == figures.end() ? nullptr : *found;
}

const Record* Cell::find(std::string_view metric, std::string_view baseline) const {
  const auto found = std::find_if(figures.begin(), figures.end(), [&](const Record* record) {
    return record->metric == metric && record->baseline == baseline;
  });
  return found == figures.end() ? nullptr : *found;
}

const Record* Cell::find_loss(std::string_view metric) const {
  const Record* record = find(metric);
  return record != nullptr && record->baseline == kDequantized ? nullptr : record;
}

Figure figure_of(const Record& record) { return {record.value, record.low, record.high}; }

bool has_plain_kv_cache(const Record& about) {
  return about.kv_cache.empty() || about.kv_cache == "FP32";
}

std::string record_text(const Record* record) {
  return record == nullptr ? "–" : figure_text(figure_of(*record), record->unit);
}

std::string doubt_mark(const Cell& cell) {
  if (cell.trusted()) return {};
  return fmt::format(" <span class=\"mark\">{}</span>", html(cell.about->status));
}

Results::Results(const std::vector<Record>& records) {
  std::map<std::pair<std::int64_t, std::string>, std::size_t> places;
  for (const Record& record : records) {
    if (record.arm == "b") continue;
    const auto [place, added] = places.try_emplace({record.run, record.case_key}, cells.size());
    if (added) cells.push_back({&record, {}});
    if (!record.metric.empty()) cells[place->second].figures.push_back(&record);
  }

  Appearance<std::string> models;
  Appearance<std::pair<std::string, std::string>> layers;  // two models may share names
  const auto reading_key = [&](const Record& r) {
    return std::make_tuple(models.of(r.model), r.m, r.cache, r.threads,
                           layers.of({r.model, r.layer}), scheme_rank(r.scheme), r.method,
                           r.backend, r.run);
  };
  using ReadingKey = decltype(reading_key(std::declval<const Record&>()));
  std::vector<std::pair<ReadingKey, Cell>> keyed;
  keyed.reserve(cells.size());
  for (Cell& cell : cells) keyed.emplace_back(reading_key(*cell.about), std::move(cell));
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < keyed.size(); ++i) cells[i] = std::move(keyed[i].second);

  // Series appear as their first layers do, which puts a model's regimes and schemes in order.
  std::map<decltype(series_key(records.front())), std::size_t> known;
  for (const Cell& cell : cells) {
    if (cell.whole_model()) continue;
    const auto [place, added] = known.try_emplace(series_key(*cell.about), series.size());
    if (added) series.push_back({});
    series[place->second].layers.push_back(&cell);
  }
  std::stable_sort(series.begin(), series.end(), [&](const Series& a, const Series& b) {
    const auto key = [&](const Series& each) {
      const Record& r = each.about();
      return std::make_tuple(models.of(r.model), r.m, r.cache, r.threads, scheme_rank(r.scheme),
                             r.method, r.backend);
    };
    return key(a) < key(b);
  });

  std::map<decltype(regime_key(records.front())), std::size_t> regime_places;
  const auto regime_of = [&](const Record& about) -> Regime& {
    const auto [place, added] = regime_places.try_emplace(regime_key(about), regimes.size());
    if (added) regimes.emplace_back();
    return regimes[place->second];
  };
  for (const Cell& cell : cells) {  // all cells, so that regimes come in their order
    Regime& regime = regime_of(*cell.about);
    if (cell.whole_model()) regime.networks.push_back(&cell);
  }
  for (const Series& each : series) regime_of(each.about()).series.push_back(&each);
}

std::vector<std::string> layers_of(const Regime& regime) {
  std::vector<std::string> layers;
  for (const Series* series : regime.series) {
    for (const Cell* cell : series->layers) {
      if (std::ranges::find(layers, cell->about->layer) == layers.end()) {
        layers.push_back(cell->about->layer);
      }
    }
  }
  return layers;
}

std::optional<LayerMean> mean_speedup(const Series& series, std::string_view baseline) {
  std::map<std::string_view, const Record*> fastest;  // by layer
  for (const Cell* cell : series.layers) {
    const Record* record = cell->trusted() ? cell->find("speedup", baseline) : nullptr;
    if (record == nullptr || !is_readable(*record)) continue;
    const Record*& best = fastest[record->layer];
    if (best == nullptr || best->value < record->value) best = record;
  }
  std::vector<Interval> factors;
  for (const auto& [layer, record] : fastest) {
    factors.push_back({record->value, record->low, record->high, record->count});
  }
  const auto mean = geometric_mean(factors);
  if (!mean) return std::nullopt;
  const auto [smallest, largest] = std::ranges::minmax(factors, {}, &Interval::value);
  return LayerMean{{mean->value, mean->low, mean->high},
                   static_cast<int>(mean->count),
                   smallest.value,
                   largest.value};
}

std::size_t layer_count(const Series& series) {
  std::set<std::string_view> layers;
  for (const Cell* cell : series.layers) layers.insert(cell->about->layer);
  return layers.size();
}

}  // namespace qassay
