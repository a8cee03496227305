#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qassay {

/// What hwloc tells about the part of a machine that this process may use.
struct Topology {
  std::vector<int> cores;  // logical CPUs: one of each physical core, then their siblings
  int physical_cores = 0;
  int packages = 0;
  int numa_nodes = 0;
  std::string caches;  // "L1 2 x 32 KiB, L2 2 x 1024 KiB, L3 1 x 36608 KiB"; empty when unknown
  std::int64_t last_level_cache_bytes = 0;  // all that `cores` reach; 0 when unknown
};

/// `cpuset`: a further limit in the kernel's notation ("0-3,8"), ignored where it cannot be parsed
/// or names no CPU of the topology. The affinity of this process limits a real topology: read it
/// before the threads are pinned. `synthetic`: hwloc's description of a machine to read instead of
/// this one. Throws InputError for a bad description.
Topology read_topology(const std::optional<std::string>& cpuset,
                       const std::optional<std::string>& synthetic);

}  // namespace qassay
