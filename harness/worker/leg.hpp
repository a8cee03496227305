#pragma once

#include <functional>
#include <optional>

#include "harness/run/job.hpp"

namespace qassay {

/// Runs one leg in this process: packs, verifies, times and evaluates. Says each step before it
/// takes it; before each round, and when there is none, asks `next_round` for its number and waits,
/// for another process may have its turn. A case that throws or gives a wrong answer fails alone;
/// the leg goes on.
LegRow run_leg(const Job& job, const std::function<void(const Step&)>& say,
               const std::function<std::optional<int>()>& next_round);

}  // namespace qassay
