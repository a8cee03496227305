#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/machine.hpp"
#include "harness/store/rows.hpp"
#include "harness/suite/plan.hpp"
#include "harness/suite/suite.hpp"

namespace qassay {

/// What the parent tells a worker: one leg of one group.
struct Job {
  Group group;  // cases with status "planned" only
  int leg = 0;
  Timing timing;
  std::vector<std::string> kernel_libraries;
  std::string isa;   // forced, or empty
  std::string seed;  // of orders and sampled columns: run and leg have their own
  int threads = 1;
  bool own_threads = false;  // the cases are of a library that keeps threads of its own
  Machine machine;           // cores to pin to, cache to exceed
};

/// What a worker says before each step, so that the parent knows what was in hand when it fell
/// silent, and can show what takes long.
struct Step {
  std::string case_key, arm;
  std::string doing;         // "preparing", "verifying", "timing", "evaluating"
  std::string how_far = "";  // for people, where it takes long
};

void to_json(nlohmann::json& json, const Job& job);
void from_json(const nlohmann::json& json, Job& job);
void to_json(nlohmann::json& json, const Step& step);
void from_json(const nlohmann::json& json, Step& step);
void to_json(nlohmann::json& json, const LegRow& leg);
void from_json(const nlohmann::json& json, LegRow& leg);

}  // namespace qassay
