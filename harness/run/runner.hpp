#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/kernel_choice.hpp"
#include "harness/suite/plan.hpp"
#include "harness/suite/suite.hpp"

namespace qassay {

/// Everything that `qassay run` was asked for.
struct RunRequest {
  Suite suite;
  PlanOptions plan;
  Timing timing;
  bool quick = false;
  std::string isa;  // forced, or empty
  std::vector<std::filesystem::path> kernel_libraries;
  std::filesystem::path store;
  bool resume = false;
  double case_timeout_seconds = 300;  // without a sign of life of a worker
  std::string command;                // as it was typed
};

struct RunResult {
  std::int64_t run = 0;
  bool interrupted = false;
  bool some_failed = false;
  bool compared = false;  // at least one speedup or loss was formed
};

/// Runs a plan leg by leg, each in a fresh worker, each committed when it ends; then computes the
/// figures. Ctrl-C ends it after the leg in hand. Throws InputError for a store that cannot be used
/// and for a resumption under other conditions than the run began with.
RunResult run_plan(const RunRequest& request, const Plan& plan, const Machine& machine);

}  // namespace qassay
