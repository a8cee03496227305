#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/buffer.hpp"
#include "hardware_profiles/ceilings.hpp"
#include "harness/run/job.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// The machine's ceilings as they are while a leg is measured: sampled in every round, because they
/// move. Hot regimes are bounded by
/// arithmetic, cold ones by the rate at which memory is read.
class LegCeilings {
 public:
  LegCeilings(const Machine& machine, int threads, Cache cache);

  void sample();
  /// Says how a case whose median round is more than 1.15 times a ceiling exceeds it.
  std::optional<std::string> excess(const Traffic& traffic,
                                    const std::vector<RoundRow>& rounds) const;
  /// The most that was seen of each: a sample takes milliseconds, and a neighbour's work can only
  /// lower it.
  Ceilings best() const;

 private:
  Cache cache_;
  Buffer memory_;
  CeilingProbe probe_;
  std::vector<Ceilings> samples_;
};

}  // namespace qassay
