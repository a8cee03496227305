#include "hardware_profiles/machine_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/hash.hpp"
#include "core/isa.hpp"
#include "hardware_profiles/cgroup.hpp"
#include "hardware_profiles/cpuid.hpp"
#include "hardware_profiles/environment.hpp"
#include "hardware_profiles/topology.hpp"

namespace qassay {
namespace {

constexpr double kGibibyte = 1024.0 * 1024.0 * 1024.0;

std::string or_unknown(const std::optional<std::string>& value) {
  return value.value_or(std::string(kUnknown));
}

/// x86 names its model; ARM gives numbers of the designer and the part.
std::string cpu_model(const std::string& cpuinfo) {
  if (const auto name = find_field(cpuinfo, "model name")) return *name;
  const auto designer = find_field(cpuinfo, "CPU implementer");
  const auto part = find_field(cpuinfo, "CPU part");
  if (designer && part) return fmt::format("implementer {} part {}", *designer, *part);
  return std::string(kUnknown);
}

std::string hypervisor(const Sources& sources, const std::string& cpuinfo) {
  if (const auto type = read_line(sources.at("/sys/hypervisor/type"))) return *type;  // Xen
  const auto flags = find_field(cpuinfo, "flags");
  if (!flags) return std::string(kUnknown);
  std::string_view rest = *flags;
  for (auto flag = take_word(rest); !flag.empty(); flag = take_word(rest)) {
    if (flag != "hypervisor") continue;
    const auto name = sources.live() ? hypervisor_name() : std::nullopt;
    return name ? *name : or_unknown(read_line(sources.at("/sys/class/dmi/id/sys_vendor")));
  }
  return "none";
}

/// One fact of /sys/devices/system/cpu/cpuN/cpufreq over all allowed cores: the value that they
/// share, or all that occur.
std::string cpufreq(const Sources& sources, const std::vector<int>& cores, std::string_view name) {
  std::vector<std::string> values;
  for (const int core : cores) {
    const auto value =
        read_line(sources.at(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/{}", core, name)));
    values.push_back(or_unknown(value));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values.empty() ? std::string(kUnknown) : fmt::format("{}", fmt::join(values, ", "));
}

std::string turbo(const Sources& sources) {
  const auto off = read_integer(sources.at("/sys/devices/system/cpu/intel_pstate/no_turbo"));
  if (off == 0 || off == 1) return *off == 0 ? "on" : "off";
  const auto on = read_integer(sources.at("/sys/devices/system/cpu/cpufreq/boost"));
  if (on == 0 || on == 1) return *on == 1 ? "on" : "off";
  return std::string(kUnknown);
}

/// "always [madvise] never" -> "madvise"
std::string huge_pages(const Sources& sources) {
  const std::string line =
      read_line(sources.at("/sys/kernel/mm/transparent_hugepage/enabled")).value_or("");
  const std::size_t open = line.find('[');
  const std::size_t close = line.find(']', open);
  if (open == std::string::npos || close == std::string::npos) return std::string(kUnknown);
  return line.substr(open + 1, close - open - 1);
}

std::int64_t memory_bytes(const Sources& sources, const CgroupLimits& limits) {
  const std::string meminfo = read_text(sources.at("/proc/meminfo")).value_or("");
  const auto total = find_field(meminfo, "MemTotal");
  const std::int64_t bytes = total ? parse_kilobytes(*total).value_or(0) : 0;
  if (!limits.memory_bytes) return bytes;
  return bytes == 0 ? *limits.memory_bytes : std::min(bytes, *limits.memory_bytes);
}

std::string fingerprint(const Machine& machine, const Topology& topology,
                        const std::string& hypervisor_fact) {
  std::vector<std::string_view> isas;
  for (const Isa isa : machine.isas) isas.push_back(to_string(isa));
  // Kernels take a little of the memory for themselves, each another share: whole GiB are compared.
  return sha256(fmt::format(
      "cpu={}\nisas={}\ncpus={}\nphysical={}\npackages={}\nnuma={}\ncaches={}\nquota={}\n"
      "memory={}\nhypervisor={}\n",
      machine.cpu, fmt::join(isas, " "), topology.cores.size(), topology.physical_cores,
      topology.packages, topology.numa_nodes, topology.caches, machine.cpu_quota,
      std::llround(static_cast<double>(machine.memory_bytes) / kGibibyte), hypervisor_fact));
}

}  // namespace

Machine read_machine(const Sources& sources) {
  const CgroupLimits limits = read_cgroup(sources);
  const Topology topology = read_topology(limits.cpuset, sources.synthetic_topology);
  const std::string cpuinfo = read_text(sources.at("/proc/cpuinfo")).value_or("");

  Machine machine;
  machine.cpu = cpu_model(cpuinfo);
  machine.isas = supported_isas();
  machine.cores = topology.cores;
  machine.cpu_quota = limits.cpus.value_or(0);
  machine.last_level_cache_bytes = topology.last_level_cache_bytes;
  machine.memory_bytes = memory_bytes(sources, limits);

  const std::string hypervisor_fact = hypervisor(sources, cpuinfo);
  const auto frequency = [&](std::string_view name) {
    return cpufreq(sources, topology.cores, name);
  };
  machine.facts = {
      {"microcode", or_unknown(find_field(cpuinfo, "microcode"))},
      {"caches", topology.caches.empty() ? std::string(kUnknown) : topology.caches},
      {"physical cores", fmt::format("{}", topology.physical_cores)},
      {"packages", fmt::format("{}", topology.packages)},
      {"numa nodes", fmt::format("{}", topology.numa_nodes)},
      {"smt control", or_unknown(read_line(sources.at("/sys/devices/system/cpu/smt/control")))},
      {"hypervisor", hypervisor_fact},
      {"kernel", or_unknown(read_line(sources.at("/proc/sys/kernel/osrelease")))},
      {"cgroup cpuset", or_unknown(limits.cpuset)},
      {"cgroup cpu quota", limits.cpus ? fmt::format("{} CPUs", *limits.cpus) : "none seen"},
      {"cgroup memory limit",
       limits.memory_bytes ? fmt::format("{} bytes", *limits.memory_bytes) : "none seen"},
      {"frequency driver", frequency("scaling_driver")},
      {"governor", frequency("scaling_governor")},
      {"lowest frequency kHz", frequency("scaling_min_freq")},
      {"highest frequency kHz", frequency("scaling_max_freq")},
      {"turbo", turbo(sources)},
      {"huge pages", huge_pages(sources)},
  };
  std::ranges::move(environment(sources), std::back_inserter(machine.facts));
  machine.fingerprint = fingerprint(machine, topology, hypervisor_fact);
  return machine;
}

int allowed_threads(const Machine& machine) {
  const int cores = static_cast<int>(machine.cores.size());
  if (machine.cpu_quota <= 0) return cores;
  const double whole = std::max(1.0, std::floor(machine.cpu_quota));
  return whole < cores ? static_cast<int>(whole) : cores;
}

}  // namespace qassay
