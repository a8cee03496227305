#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "hardware_profiles/ceilings.hpp"
#include "harness/run/job.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// How fast a case is, beside the ceiling of its regime: cold ones are bounded by the rate at which
/// memory is read, hot ones by the arithmetic that they compute with. (How fast weights can come
/// from a cache is not probed.)
struct Reach {
  double rate = 0;         // bytes of weights or operations a second, in the median round
  double ceiling = 0;      // of the same
  const char* what = "";   // "bytes" or "operations"
  const char* bound = "";  // "read-rate", "f32-peak", "bf16-peak", "int16-peak" or "int8-peak"

  double fraction() const { return rate / ceiling; }
  /// Says how a case is faster than the machine can be, when it is more than 1.15 times so.
  std::optional<std::string> excess() const;
};

/// The median of rounds is that of their logs, as in latencies, so that a case's rate over its
/// share is the ceiling. Nothing without rounds, or where the machine has no probe for the ceiling.
std::optional<Reach> reach_of(const Traffic& traffic, const std::vector<RoundRow>& rounds,
                              Cache cache, const Ceilings& ceilings);

/// The machine's ceilings as they are while a leg is measured: sampled in every round, because they
/// move.
class LegCeilings {
 public:
  LegCeilings(int threads, Cache cache);

  void sample();
  std::optional<Reach> reach(const Traffic& traffic, const std::vector<RoundRow>& rounds) const {
    return reach_of(traffic, rounds, cache_, best());
  }
  /// The most that was seen of each: a sample takes milliseconds, and a neighbour's work can only
  /// lower it.
  Ceilings best() const;

 private:
  Cache cache_;
  int threads_;
  Buffer memory_;
  CeilingProbe probe_;
  std::vector<Ceilings> samples_;
};

}  // namespace qassay
