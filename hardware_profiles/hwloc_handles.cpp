#include "hardware_profiles/hwloc_handles.hpp"

#include <cerrno>
#include <new>
#include <system_error>

#include "core/error.hpp"

namespace qassay {

TopologyHandle load_topology(const std::optional<std::string>& synthetic) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    throw std::system_error(errno, std::generic_category(), "hwloc_topology_init");
  TopologyHandle topology(raw);
  if (synthetic && hwloc_topology_set_synthetic(raw, synthetic->c_str()) != 0)
    throw InputError("topology", "hwloc cannot make one of '" + *synthetic + "'",
                     "write it like 'package:2 l3:1 core:4 pu:2'");
  if (hwloc_topology_load(raw) != 0)
    throw std::system_error(errno, std::generic_category(), "hwloc_topology_load");
  return topology;
}

Bitmap make_bitmap() {
  Bitmap bitmap(hwloc_bitmap_alloc());
  if (!bitmap) throw std::bad_alloc();
  return bitmap;
}

}  // namespace qassay
