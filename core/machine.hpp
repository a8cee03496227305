#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/isa.hpp"

namespace qassay {

/// One thing known about a machine, as text for people and for comparison; "unknown" when this
/// machine does not show it.
struct Fact {
  std::string name;  // "cpu", "governor", "hypervisor", "openblas threads", ...
  std::string value;
};

/// What a machine is, as plain data.
struct Machine {
  std::string cpu;
  std::vector<Isa> isas;   // that it runs
  std::vector<int> cores;  // logical CPUs that this process may use, one a physical core first
  double cpu_quota = 0;    // CPU seconds per second that a CFS quota leaves; 0 without one
  std::int64_t last_level_cache_bytes = 0;  // all that the allowed cores reach; 0 when unknown
  std::int64_t memory_bytes = 0;  // that this process may use (the smaller of RAM and cgroup limit)
  std::vector<Fact> facts;        // everything else, in reading order
  std::string fingerprint;        // hash of what makes two machines comparable
};

}  // namespace qassay
