#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/seed.hpp"
#include "harness/run/job.hpp"
#include "harness/run/worker_process.hpp"

namespace qassay {

/// The step in hand when a worker ended, and why it did.
struct LegFailure {
  Step step;
  std::string reason;
  bool killed = false;  // by SIGKILL: the kernel's out-of-memory killer, or somebody
};

using HearStep = std::function<void(const Step&)>;

/// One try of a leg: a worker for the backends that share OpenMP's threads, and one for each that
/// keeps threads of its own. They prepare one after another and take turns in every round, in
/// random order; whose turn it is not stands still.
class LegAttempt {
 public:
  /// `patience`: without a sign of life of the worker in hand. `hear`: called with each of its
  /// steps.
  LegAttempt(Job job, std::chrono::duration<double> patience, HearStep hear);

  /// Throws InputError for what a worker cannot read (a data file, a library).
  std::variant<LegRow, LegFailure> run();

 private:
  struct Member {
    Job job;  // its cases only
    std::unique_ptr<WorkerProcess> worker;
    Step step;  // the last that it said
  };

  /// Listens to a member until it is ready for a round or has sent its leg.
  LegRow hear(Member& member);
  LegRow turn(Member& member, const std::string& message);
  LegRow merged(std::vector<LegRow> legs,
                const std::vector<std::vector<std::size_t>>& orders) const;

  Job job_;
  std::chrono::duration<double> patience_;
  HearStep hear_;
  Random random_;
  std::vector<Member> members_;
};

}  // namespace qassay
