#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.hpp"
#include "reports/figure.hpp"

namespace qassay {

/// All records of one case: one cell of the sweep. Points into the input's records.
struct Cell {
  const Record* about = nullptr;  // what the case is, and its status
  std::vector<const Record*> figures;

  bool trusted() const { return about->status == "passed"; }
  bool whole_model() const { return about->layer.empty(); }
  const Record* find(std::string_view metric) const;  // against any baseline
  const Record* find(std::string_view metric, std::string_view baseline) const;
  /// Against any baseline but a checkpoint's own weights (kDequantized): what quantizing lost.
  const Record* find_loss(std::string_view metric) const;
};

/// The layers of one model in one regime, scheme, method and backend.
struct Series {
  std::vector<const Cell*> layers;

  const Record& about() const { return *layers.front()->about; }
};

/// What was measured of one model with one number of rows, one state of the cache and one number of
/// threads: the model as a whole, and its layers.
struct Regime {
  std::vector<const Cell*> networks;
  std::vector<const Series*> series;

  const Record& about() const {
    return networks.empty() ? series.front()->about() : *networks.front()->about;
  }
};

/// Records sorted for reading: by model, regime, layer (models and layers as they first appear, a
/// network's layers thus in its own order; regimes by rows, then cache), then schemes from wide to
/// narrow. Second arms of A/A runs are not among the cells.
struct Results {
  explicit Results(const std::vector<Record>& records);
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  std::vector<Cell> cells;
  std::vector<Series> series;   // points into cells
  std::vector<Regime> regimes;  // points into both
};

/// The names of a regime's layers, in the order of the network.
std::vector<std::string> layers_of(const Regime& regime);

/// Geometric mean of the speedups over layers, with its interval (core/statistics.hpp). Where
/// several kernels of a backend ran a layer, the fastest stands for it.
struct LayerMean {
  Figure figure;
  int count = 0;  // layers that have a trusted figure
  double smallest = 0, largest = 0;
};

/// Nothing when no trusted layer has a speedup over `baseline`. A speedup whose interval cannot be
/// read (not positive, or over a single leg) does not count.
std::optional<LayerMean> mean_speedup(const Series& series, std::string_view baseline);

/// How many different layers a series has.
std::size_t layer_count(const Series& series);

Figure figure_of(const Record& record);

/// Whether keys and values are kept as in FP32, or the case keeps none.
bool has_plain_kv_cache(const Record& about);

/// The figure as text, "–" where there is none.
std::string record_text(const Record* record);

/// The status of a case whose figures are shown but not trusted, as HTML behind a figure; empty for
/// trusted ones.
std::string doubt_mark(const Cell& cell);

}  // namespace qassay
