#pragma once

#include "core/machine.hpp"
#include "hardware_profiles/sources.hpp"

namespace qassay {

/// Describes the machine that this process may use. What cannot be read is `unknown`, never an
/// error; only an impossible synthetic topology throws (InputError). The instruction sets are
/// always those of the processor that runs this. Read it before threads are pinned: afterwards the
/// affinity of this process hides the other cores.
Machine read_machine(const Sources& sources = {});

/// The most threads that can run at full speed: the allowed CPUs, or fewer under a CFS quota (whole
/// CPUs of it, at least 1: a team larger than its quota is stopped in the middle of a timing).
int allowed_threads(const Machine& machine);

}  // namespace qassay
