#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hardware_profiles/sources.hpp"

namespace qassay {

/// What the control groups above this process leave it: the strictest of its own group's limits and
/// of all groups that hold it. Nothing where there is no limit or none can be read.
struct CgroupLimits {
  std::optional<std::string> cpuset;  // as the kernel writes it, "0-3,8"
  std::optional<double> cpus;         // CPU seconds per second (CFS quota over its period)
  std::optional<std::int64_t> memory_bytes;
};

/// Reads version 2, version 1 and mixtures of both (a controller lives in exactly one of them).
CgroupLimits read_cgroup(const Sources& sources);

}  // namespace qassay
