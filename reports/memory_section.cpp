#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "reports/html.hpp"
#include "reports/sections.hpp"
#include "reports/table.hpp"

namespace qassay {
namespace {

constexpr double kFp32Bytes = 4;

/// The memory of one model in one scheme, method and backend. Packed weights are the same in every
/// regime, so each layer counts once.
struct Footprint {
  const Record* about = nullptr;
  std::map<std::string, std::pair<double, double>> layers;  // packed bytes, weights
  double workspace = -1, peak_rss = -1;                     // largest of its cells

  double packed() const {
    double sum = 0;
    for (const auto& [name, layer] : layers) sum += layer.first;
    return sum;
  }
  double weights() const {
    double sum = 0;
    for (const auto& [name, layer] : layers) sum += layer.second;
    return sum;
  }
};

void keep_largest(double& largest, const Record* record) {
  if (record != nullptr) largest = std::max(largest, record->value);
}

std::vector<Footprint> footprints_of(const Results& results) {
  std::vector<Footprint> footprints;
  std::map<std::tuple<std::int64_t, std::string, std::string, std::string, std::string>,
           std::size_t>
      known;
  for (const Series& series : results.series) {
    const Record& about = series.about();
    const auto [place, added] = known.try_emplace(
        {about.run, about.model, about.scheme, about.method, about.backend}, footprints.size());
    if (added) footprints.push_back({&about, {}, -1, -1});
    Footprint& footprint = footprints[place->second];
    for (const Cell* cell : series.layers) {
      const Record* packed = cell->find("weight_bytes");
      if (packed != nullptr && packed->n > 0 && packed->k > 0) {
        footprint.layers[packed->layer] = {
            packed->value, static_cast<double>(packed->n) * static_cast<double>(packed->k)};
      }
      keep_largest(footprint.workspace, cell->find("workspace_bytes"));
      keep_largest(footprint.peak_rss, cell->find("peak_rss_bytes"));
    }
  }
  std::erase_if(footprints, [](const Footprint& each) {
    return each.layers.empty() && each.workspace < 0 && each.peak_rss < 0;
  });
  return footprints;
}

std::string bytes_text(double bytes) {
  return bytes < 0 ? "–" : figure_text({bytes, bytes, bytes}, "bytes");
}

std::string show(const std::vector<Footprint>& footprints, Charts& charts) {
  const std::string& model = footprints.front().about->model;
  Table table(fmt::format("Memory by scheme and backend, {}", model),
              {{"Scheme"},
               {"Backend"},
               {"Packed weights", true},
               {"Of FP32", true},
               {"Bytes a weight", true},
               {"Layers", true},
               {"Largest workspace", true},
               {"Peak of the worker process", true}});
  std::vector<ChartBar> bars;
  for (const Footprint& each : footprints) {
    const Record& about = *each.about;
    const bool packed = !each.layers.empty();
    const double per_weight = packed ? each.packed() / each.weights() : 0;
    const double share = per_weight / kFp32Bytes;
    table.row();
    table.cell(about.scheme);
    table.cell(about.backend);
    table.cell(packed ? bytes_text(each.packed()) : "–");
    table.cell(packed ? percent_text(share) : "–");
    table.cell(packed ? figure_text({per_weight, per_weight, per_weight}, "") : "–");
    table.cell(fmt::format("{}", each.layers.size()));
    table.cell(bytes_text(each.workspace));
    table.cell(bytes_text(each.peak_rss));
    if (packed) {
      bars.push_back({fmt::format("{} · {}", about.scheme, about.backend),
                      about.backend,
                      {share, share, share},
                      percent_text(share)});
    }
  }
  return fmt::format("<h3>{}</h3>\n", html(model)) +
         charts.bars(fmt::format("Packed weights against FP32, {}", model),
                     {"% of 4 bytes a weight", 100}, 1, bars) +
         table.text("");
}

}  // namespace

std::string memory_section(const Results& results, Charts& charts) {
  const std::vector<Footprint> footprints = footprints_of(results);
  if (footprints.empty()) return "<p class=\"nothing\">No memory was measured in this run.</p>\n";
  // Models in the order in which they appear, each with all its footprints.
  std::vector<std::vector<Footprint>> models;
  for (const Footprint& each : footprints) {
    const auto found = std::find_if(models.begin(), models.end(), [&](const auto& model) {
      return model.front().about->model == each.about->model;
    });
    if (found == models.end()) {
      models.push_back({each});
    } else {
      found->push_back(each);
    }
  }
  std::string result =
      "<p>Three numbers that are never added up: <strong>packed weights</strong> as the kernel "
      "reads "
      "them, with scales, zero points and padding; the <strong>workspace</strong> of a call; and "
      "the "
      "<strong>peak resident memory</strong> of the worker process, which also holds inputs, "
      "outputs "
      "and every other case of its group.</p>\n";
  for (const auto& model : models) result += show(model, charts);
  return result;
}

}  // namespace qassay
