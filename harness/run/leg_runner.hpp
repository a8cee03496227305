#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "harness/run/job.hpp"

namespace qassay {

/// Runs legs in fresh workers. A case that brings its worker down (a crash, a hang, too much
/// memory) is taken out, here and in all later legs, and the leg is run again without it: one bad
/// kernel costs its own cells only.
class LegRunner {
 public:
  explicit LegRunner(std::chrono::duration<double> patience) : patience_(patience) {}

  /// Cases of earlier legs, known to bring workers down.
  void exclude(const std::string& case_key, const std::string& arm, const std::string& reason);

  /// `hear`: called with each step of a worker. Throws InputError for what the worker cannot read
  /// (a data file, a library).
  LegRow run(Job job, const std::function<void(const Step&)>& hear);

 private:
  std::chrono::duration<double> patience_;
  std::map<std::pair<std::string, std::string>, std::string> excluded_;  // (key, arm) -> reason
};

}  // namespace qassay
