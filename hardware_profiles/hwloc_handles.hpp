#pragma once

#include <hwloc.h>

#include <memory>
#include <optional>
#include <string>

namespace qassay {

/// hwloc's C handles, owned. Private to this room: nobody else includes hwloc.h.
struct TopologyDeleter {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using TopologyHandle = std::unique_ptr<hwloc_topology, TopologyDeleter>;

struct BitmapDeleter {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<hwloc_bitmap_s, BitmapDeleter>;

/// The topology of this machine, or the one described. Throws InputError for a bad description and
/// std::runtime_error where the machine does not let itself be read.
TopologyHandle load_topology(const std::optional<std::string>& synthetic = std::nullopt);

Bitmap make_bitmap();

}  // namespace qassay
