#pragma once

#include <cstdint>
#include <functional>

#include "harness/suite/suite.hpp"

namespace qassay {

/// What is timed; and what is done before each batch of so many calls, untimed, or nothing.
struct Work {
  std::function<void()> call;
  std::function<void(std::int64_t calls)> before;
  /// In place of both, where a device has a clock of its own: so many calls, and the seconds for
  /// each.
  std::function<double(std::int64_t calls)> on_device;
};

/// How a case is timed in every round of a leg: fixed once, after the warm-up.
struct Pace {
  std::int64_t iterations = 1;  // calls a batch
  std::int64_t batches = 1;     // a round
};

/// Seconds per call in one round.
struct RoundTime {
  double q25 =
      0;  // over the batches: needs half the rounds that the median does on a noisy machine
  double median = 0;
};

/// Runs timed loops with Google Benchmark, one case at a time in the order that the caller chooses
/// (its own interleaving shuffles whole repetitions and makes no adjacent pairs).
class Timer {
 public:
  explicit Timer(const Timing& timing) : timing_(timing) {}

  /// Warms up by time and until two batches agree within a tenth, then sets the pace.
  Pace find_pace(const Work& work) const;
  /// One round: warm-up, then batches.
  RoundTime time_round(const Work& work, const Pace& pace) const;

 private:
  Timing timing_;
};

}  // namespace qassay
