#include "hardware_profiles/pinning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>

#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "hardware_profiles/hwloc_handles.hpp"
#include "hardware_profiles/machine_reader.hpp"

namespace qassay {
namespace {

/// True when the calling thread runs on `cpus` and nowhere else.
bool bind_this_thread(hwloc_topology_t topology, std::span<const int> cpus) {
  const Bitmap wanted = make_bitmap();
  const Bitmap actual = make_bitmap();
  for (const int cpu : cpus) hwloc_bitmap_set(wanted.get(), static_cast<unsigned>(cpu));
  return hwloc_set_cpubind(topology, wanted.get(), HWLOC_CPUBIND_THREAD) == 0 &&
         hwloc_get_cpubind(topology, actual.get(), HWLOC_CPUBIND_THREAD) == 0 &&
         hwloc_bitmap_isequal(wanted.get(), actual.get());
}

std::size_t physical_cores(hwloc_topology_t topology, std::span<const int> cpus) {
  std::set<hwloc_obj_t> cores;
  for (const int cpu : cpus) {
    const hwloc_obj_t pu = hwloc_get_pu_obj_by_os_index(topology, static_cast<unsigned>(cpu));
    const hwloc_obj_t core =
        pu == nullptr ? nullptr : hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
    cores.insert(core != nullptr ? core : pu);
  }
  return cores.size();
}

void check_threads(const Machine& machine, int threads) {
  const int most = allowed_threads(machine);
  if (threads >= 1 && threads <= most) return;
  throw InputError("threads",
                   fmt::format("{} were asked for, and {} are allowed here", threads, most),
                   fmt::format("choose 1 to {}, or widen the affinity, cpuset or CPU quota", most));
}

[[noreturn]] void could_not_bind(std::string_view what, std::span<const int> cpus) {
  throw InputError("threads",
                   fmt::format("{} could not be bound to CPU {}", what, fmt::join(cpus, ", ")),
                   "let the affinity and OMP_THREAD_LIMIT of this process allow it");
}

std::string placement(hwloc_topology_t topology, std::span<const int> cpus) {
  return fmt::format("{} {} on CPU {}{}", cpus.size(), cpus.size() == 1 ? "thread" : "threads",
                     fmt::join(cpus, ", "),
                     physical_cores(topology, cpus) < cpus.size()
                         ? ", sharing physical cores"
                         : ", each on a physical core of its own");
}

}  // namespace

std::string pin_threads(const Machine& machine, int threads) {
  check_threads(machine, threads);
  const TopologyHandle topology = load_topology();
  const std::span<const int> cpus(machine.cores.data(), static_cast<std::size_t>(threads));
  std::vector<char> bound(cpus.size(), 0);
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
#pragma omp parallel num_threads(threads)
  {
    const auto thread = static_cast<std::size_t>(omp_get_thread_num());
    bound[thread] = bind_this_thread(topology.get(), cpus.subspan(thread, 1));
  }
  for (std::size_t thread = 0; thread < bound.size(); ++thread) {
    if (!bound[thread]) could_not_bind(fmt::format("thread {}", thread), cpus.subspan(thread, 1));
  }
  return placement(topology.get(), cpus);
}

std::string confine_threads(const Machine& machine, int threads) {
  check_threads(machine, threads);
  const TopologyHandle topology = load_topology();
  const std::span<const int> cpus(machine.cores.data(), static_cast<std::size_t>(threads));
  if (!bind_this_thread(topology.get(), cpus)) could_not_bind("the process", cpus);
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  return placement(topology.get(), cpus) + ", placed by the library";
}

}  // namespace qassay
