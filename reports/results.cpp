#include "reports/results.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "core/error.hpp"
#include "core/scheme.hpp"

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

/// Numbers texts in the order in which they first appear.
class Appearance {
 public:
  int of(const std::string& text) {
    return order_.try_emplace(text, static_cast<int>(order_.size())).first->second;
  }

 private:
  std::map<std::string, int> order_;
};

auto series_key(const Record& record) {
  return std::tie(record.run, record.model, record.m, record.cache, record.threads, record.scheme,
                  record.method, record.backend);
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

Figure figure_of(const Record& record) { return {record.value, record.low, record.high}; }

Results::Results(const std::vector<Record>& records) {
  std::map<std::pair<std::int64_t, std::string>, std::size_t> places;
  for (const Record& record : records) {
    if (record.arm == "b") continue;
    const auto [place, added] = places.try_emplace({record.run, record.case_key}, cells.size());
    if (added) cells.push_back({&record, {}});
    if (!record.metric.empty()) cells[place->second].figures.push_back(&record);
  }

  Appearance models, layers;
  const auto reading_key = [&](const Record& r) {
    return std::make_tuple(models.of(r.model), r.m, r.cache, r.threads, layers.of(r.layer),
                           scheme_rank(r.scheme), r.method, r.backend, r.run);
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
}

std::optional<LayerMean> mean_speedup(const Series& series, std::string_view baseline) {
  std::map<std::string_view, const Record*> fastest;  // by layer
  for (const Cell* cell : series.layers) {
    const Record* record = cell->trusted() ? cell->find("speedup", baseline) : nullptr;
    if (record == nullptr || !(record->value > 0) || !(record->low > 0)) continue;
    const Record*& best = fastest[record->layer];
    if (best == nullptr || best->value < record->value) best = record;
  }
  if (fastest.empty()) return std::nullopt;

  LayerMean mean;
  mean.count = static_cast<int>(fastest.size());
  mean.smallest = std::numeric_limits<double>::infinity();
  double log_sum = 0, below = 0, above = 0;
  for (const auto& [layer, record] : fastest) {
    const double log_value = std::log(record->value);
    log_sum += log_value;
    below += std::pow(log_value - std::log(record->low), 2);
    above += std::pow(std::log(record->high) - log_value, 2);
    mean.smallest = std::min(mean.smallest, record->value);
    mean.largest = std::max(mean.largest, record->value);
  }
  const double log_mean = log_sum / mean.count;
  mean.figure = {std::exp(log_mean), std::exp(log_mean - std::sqrt(below) / mean.count),
                 std::exp(log_mean + std::sqrt(above) / mean.count)};
  return mean;
}

std::size_t layer_count(const Series& series) {
  std::set<std::string_view> layers;
  for (const Cell* cell : series.layers) layers.insert(cell->about->layer);
  return layers.size();
}

}  // namespace qassay
