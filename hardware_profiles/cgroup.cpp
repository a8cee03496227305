#include "hardware_profiles/cgroup.hpp"

#include <algorithm>
#include <vector>

namespace qassay {
namespace {

using std::filesystem::path;

/// One controller's groups around this process, innermost first.
struct Hierarchy {
  bool unified = false;  // version 2
  std::vector<path> groups;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool contains(const std::vector<std::string_view>& parts, std::string_view part) {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

/// /proc/self/cgroup: "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1. An empty
/// controller asks for version 2.
std::optional<path> group_of(std::string_view memberships, std::string_view controller) {
  for (const std::string_view line : split(memberships, '\n')) {
    const std::vector<std::string_view> parts = split(line, ':');
    if (parts.size() < 3) continue;
    const bool found =
        controller.empty() ? parts[0] == "0" : contains(split(parts[1], ','), controller);
    if (found) return path(line.substr(parts[0].size() + parts[1].size() + 2));
  }
  return std::nullopt;
}

struct Mount {
  path root;  // the group that the mount point shows
  path point;
};

/// /proc/self/mountinfo: "id parent device root point options... - type source super-options".
std::optional<Mount> mount_of(std::string_view mounts, std::string_view controller) {
  for (std::string_view line : split(mounts, '\n')) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view tail = line.substr(dash + 3);
    const std::string_view type = take_word(tail);
    take_word(tail);
    const bool found = controller.empty()
                           ? type == "cgroup2"
                           : type == "cgroup" && contains(split(take_word(tail), ','), controller);
    if (!found) continue;
    for (int i = 0; i < 3; ++i) take_word(line);
    const std::string_view root = take_word(line);
    return Mount{root, take_word(line)};
  }
  return std::nullopt;
}

Hierarchy find_hierarchy(const Sources& sources, std::string_view controller) {
  const std::string memberships = read_text(sources.at("/proc/self/cgroup")).value_or("");
  const std::string mounts = read_text(sources.at("/proc/self/mountinfo")).value_or("");
  Hierarchy hierarchy;
  std::optional<path> group = group_of(memberships, controller);
  if (!group) {
    hierarchy.unified = true;
    controller = "";
    group = group_of(memberships, controller);
  }
  const std::optional<Mount> mount = mount_of(mounts, controller);
  if (!group || !mount) return hierarchy;
  // In a container the mount often shows the container's own group as its root, or the path leads
  // out of what is mounted ("/../.."): then the mount point is the nearest group there is to see.
  path below = group->lexically_relative(mount->root);
  if (below.empty() || *below.begin() == "..") below = ".";
  path inside;
  hierarchy.groups.push_back(sources.at(mount->point));
  for (const path& part : below) {
    if (part == "." || part.empty()) continue;
    inside /= part;
    hierarchy.groups.push_back(sources.at(mount->point) / inside);
  }
  std::reverse(hierarchy.groups.begin(), hierarchy.groups.end());
  return hierarchy;
}

template <typename T>
void lower(std::optional<T>& limit, T value) {
  limit = limit ? std::min(*limit, value) : value;
}

std::optional<double> quota_of(const Hierarchy& hierarchy) {
  std::optional<double> cpus;
  for (const path& group : hierarchy.groups) {
    std::optional<std::int64_t> quota;
    std::optional<std::int64_t> period;
    if (hierarchy.unified) {
      const std::string line = read_line(group / "cpu.max").value_or("");  // "max 100000"
      std::string_view words = line;
      quota = parse_integer(take_word(words));
      period = parse_integer(take_word(words));
    } else {
      quota = read_integer(group / "cpu.cfs_quota_us");  // -1: none
      period = read_integer(group / "cpu.cfs_period_us");
    }
    if (quota.value_or(0) > 0 && period.value_or(0) > 0)
      lower(cpus, static_cast<double>(*quota) / static_cast<double>(*period));
  }
  return cpus;
}

std::optional<std::int64_t> memory_of(const Hierarchy& hierarchy) {
  // Version 1 writes "no limit" as the largest whole page below 2^63.
  constexpr std::int64_t kNoLimit = std::int64_t{1} << 62;
  std::optional<std::int64_t> bytes;
  for (const path& group : hierarchy.groups) {
    const std::optional<std::int64_t> limit =
        read_integer(group / (hierarchy.unified ? "memory.max" : "memory.limit_in_bytes"));
    if (limit.value_or(0) > 0 && *limit < kNoLimit) lower(bytes, *limit);
  }
  return bytes;
}

std::optional<std::string> cpuset_of(const Hierarchy& hierarchy) {
  const char* const names[] = {"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"};
  for (const path& group : hierarchy.groups) {
    for (const char* const name : names) {
      if (std::optional<std::string> cpus = read_line(group / name)) return cpus;
    }
  }
  return std::nullopt;
}

}  // namespace

CgroupLimits read_cgroup(const Sources& sources) {
  return {cpuset_of(find_hierarchy(sources, "cpuset")), quota_of(find_hierarchy(sources, "cpu")),
          memory_of(find_hierarchy(sources, "memory"))};
}

}  // namespace qassay
