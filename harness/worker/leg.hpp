#pragma once

#include <functional>

#include "harness/run/job.hpp"

namespace qassay {

/// Runs one leg in this process: packs, verifies, times and evaluates. Says each step before it
/// takes it. A case that throws or gives a wrong answer fails alone; the leg goes on.
LegRow run_leg(const Job& job, const std::function<void(const Step&)>& say);

}  // namespace qassay
