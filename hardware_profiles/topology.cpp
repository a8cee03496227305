#include "hardware_profiles/topology.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "hardware_profiles/hwloc_handles.hpp"

namespace qassay {
namespace {

Bitmap allowed_cpus(hwloc_topology_t topology, const std::optional<std::string>& cpuset) {
  Bitmap allowed(hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology)));
  const auto narrow = [&](const Bitmap& limit) {
    if (hwloc_bitmap_intersects(allowed.get(), limit.get()))
      hwloc_bitmap_and(allowed.get(), allowed.get(), limit.get());
  };
  const Bitmap limit = make_bitmap();
  if (hwloc_topology_is_thissystem(topology) &&
      hwloc_get_cpubind(topology, limit.get(), HWLOC_CPUBIND_PROCESS) == 0)
    narrow(limit);
  if (cpuset && hwloc_bitmap_list_sscanf(limit.get(), cpuset->c_str()) == 0) narrow(limit);
  return allowed;
}

int count_intersecting(hwloc_topology_t topology, hwloc_obj_type_t type,
                       hwloc_const_cpuset_t cpus) {
  int count = 0;
  hwloc_obj_t object = nullptr;
  while ((object = hwloc_get_next_obj_by_type(topology, type, object)) != nullptr)
    count += hwloc_bitmap_intersects(object->cpuset, cpus);
  return count;
}

/// One CPU of each physical core, then the second ones, and so on.
void list_cores(hwloc_topology_t topology, hwloc_const_cpuset_t allowed, Topology& result) {
  std::vector<std::vector<int>> rounds;
  std::map<hwloc_obj_t, std::size_t> seen;  // CPUs listed so far, by physical core
  hwloc_obj_t pu = nullptr;
  while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != nullptr) {
    if (!hwloc_bitmap_isset(allowed, pu->os_index)) continue;
    // Some virtual machines show logical CPUs without cores: each is then its own.
    const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
    const std::size_t round = seen[core != nullptr ? core : pu]++;
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(static_cast<int>(pu->os_index));
  }
  for (const std::vector<int>& round : rounds)
    result.cores.insert(result.cores.end(), round.begin(), round.end());
  result.physical_cores = static_cast<int>(seen.size());
}

void list_caches(hwloc_topology_t topology, hwloc_const_cpuset_t allowed, Topology& result) {
  std::set<hwloc_obj_t> last_levels;
  std::map<int, std::map<std::int64_t, std::set<hwloc_obj_t>>> levels;  // by depth and bytes
  hwloc_obj_t pu = nullptr;
  while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu)) != nullptr) {
    if (!hwloc_bitmap_isset(allowed, pu->os_index)) continue;
    hwloc_obj_t last = nullptr;
    for (hwloc_obj_t above = pu->parent; above != nullptr; above = above->parent) {
      if (!hwloc_obj_type_is_dcache(above->type) || above->attr->cache.size == 0) continue;
      const auto bytes = static_cast<std::int64_t>(above->attr->cache.size);
      levels[static_cast<int>(above->attr->cache.depth)][bytes].insert(above);
      last = above;
    }
    if (last != nullptr) last_levels.insert(last);
  }
  for (const hwloc_obj_t cache : last_levels)
    result.last_level_cache_bytes += static_cast<std::int64_t>(cache->attr->cache.size);
  for (const auto& [level, sizes] : levels) {
    for (const auto& [bytes, caches] : sizes)
      result.caches += fmt::format("{}L{} {} x {} KiB", result.caches.empty() ? "" : ", ", level,
                                   caches.size(), bytes / 1024);
  }
}

}  // namespace

Topology read_topology(const std::optional<std::string>& cpuset,
                       const std::optional<std::string>& synthetic) {
  const TopologyHandle topology = load_topology(synthetic);
  const Bitmap allowed = allowed_cpus(topology.get(), cpuset);
  Topology result;
  list_cores(topology.get(), allowed.get(), result);
  list_caches(topology.get(), allowed.get(), result);
  result.packages = count_intersecting(topology.get(), HWLOC_OBJ_PACKAGE, allowed.get());
  result.numa_nodes = count_intersecting(topology.get(), HWLOC_OBJ_NUMANODE, allowed.get());
  return result;
}

}  // namespace qassay
