#pragma once

#include <vector>

#include "core/machine.hpp"
#include "hardware_profiles/sources.hpp"

namespace qassay {

/// What changes from minute to minute and says how quiet the machine is: load averages, ticks
/// stolen by the hypervisor since boot, bytes of this process that lie on huge pages. Taken before
/// and after each leg.
std::vector<Fact> environment(const Sources& sources);

}  // namespace qassay
