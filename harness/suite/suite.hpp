#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/scheme.hpp"
#include "models/evaluation_text.hpp"
#include "models/kv_format.hpp"

namespace qassay {

/// What a sweep is asked to do: the content of a suite file (TOML), checked.

enum class Cache { hot, cold };
std::string_view to_string(Cache cache);

struct Regime {
  std::int64_t m = 1;  // rows of activations
  Cache cache = Cache::hot;

  bool operator==(const Regime&) const = default;
};

struct Shape {
  std::int64_t n = 0;  // out features
  std::int64_t k = 0;  // in features

  bool operator==(const Shape&) const = default;
};

/// How long and how often things are timed (harness/worker/README.md says why).
struct Timing {
  int legs = 4;                   // fresh processes; even
  int rounds = 10;                // of each leg
  double round_seconds = 0.015;   // timed, per case and round
  double warmup_seconds = 0.002;  // before each
};

/// One model, or a list of layer shapes, swept over the axes below.
struct Sweep {
  std::string model;          // a name, or the folder of a user's own
  std::string checkpoint;     // folder of a user's own whose matrices kCheckpointMethod runs
  std::vector<Shape> shapes;  // layers known by shape alone, with seeded weights; else a real model
  bool whole = false;         // run the whole model
  bool evaluate = false;      // and score it, on its test set or on a text
  bool timed = true;          // false: score it alone, in one leg
  TextChoice text;            // which, of a language model
  std::int64_t samples = 0;   // of the set, the first; of text, windows; 0: all
  std::vector<Scheme> schemes;
  std::vector<std::string> methods;
  std::vector<std::string> backends;
  std::vector<Regime> regimes;
  std::vector<KvFormat> kv_caches{KvFormat::fp32};  // of language models that run as a whole
  double round_seconds = 0;                         // in place of the suite's; 0: that
};

struct Suite {
  std::string name;
  std::string description;
  std::string hash;  // SHA-256 of the text
  Timing timing;
  std::vector<Sweep> sweeps;
};

/// Throws InputError (place, line, key, mend) for unknown keys, wrong types, empty axes, duplicates
/// and values that do not exist.
Suite parse_suite(std::string_view text, std::string_view place);

/// A suite that ships with the program, by name, or a file, by path.
Suite load_suite(const std::string& name_or_path);
std::vector<std::string> shipped_suites();

}  // namespace qassay
