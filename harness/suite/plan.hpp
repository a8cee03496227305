#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "harness/store/rows.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/suite/suite.hpp"
#include "models/catalogue.hpp"

namespace qassay {

/// Tokens that a token is decoded behind, where the model has room for so many.
inline constexpr std::int64_t kTokensBefore = 128;

/// Cases that are timed together: the same layers in the same regime, the FP32 baselines among
/// them.
struct Group {
  std::string key;
  std::string model;              // its name
  std::string source;             // what load_model() takes; empty for layers known by shape
  std::string checkpoint;         // folder of the matrices of kCheckpointMethod; empty for none
  std::string baseline = "fp32";  // what losses are against: "fp32", or kDequantized
  bool whole = false;             // time the whole model too, through the packed weights
  bool evaluate = false;          // and score it
  bool timed = true;              // false: nothing is timed, and there is one leg
  bool text = false;              // the model is of text
  std::int64_t context = 0;       // positions that it needs to have
  TextChoice choice;              // what it is scored on,
  TextProtocol protocol;          // and how
  std::int64_t samples = 0;       // images, or windows of text; 0: all
  Regime regime;
  double round_seconds = 0;              // in place of the suite's; 0: that
  std::vector<std::string> own_threads;  // backends that are timed in processes of their own
  std::vector<LayerShape> layers;        // all of a model that is run as a whole, else one
  /// The layers of a whole model are timed by themselves only where it is scored.
  bool times_layers() const { return !whole || evaluate; }
  /// Its own, where that of the run is `of_run`.
  Timing timing(Timing of_run) const;

  std::vector<CaseRow> cases;  // those with status "planned" run; the others say why not
};

struct Plan {
  int threads = 1;
  std::vector<Group> groups;

  std::vector<CaseRow> cases() const;
};

/// What a user narrows a suite to; empty means all.
struct Filters {
  std::vector<std::string> schemes;  // texts, as parse_scheme takes them
  std::vector<std::string> backends;
  std::vector<std::string> layers;  // glob patterns over "model/layer"
};

struct PlanOptions {
  Filters filters;
  int threads = 1;
  int legs = 0;            // of every group
  bool both_arms = false;  // A/A: every case twice
  bool quick = false;      // few samples
};

/// Crosses the axes, chooses a kernel for each cell, and splits cold groups whose weights would not
/// fit in a third of the memory (every part has its own baselines). Throws InputError for filters
/// that match nothing and for backends that nobody knows.
Plan make_plan(const Suite& suite, const PlanOptions& options, const KernelChoice& kernels,
               const Machine& machine);

}  // namespace qassay
