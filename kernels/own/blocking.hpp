#pragma once

#include <cstdint>

namespace qassay::own {

/// Bytes of the caches of one core.
struct CacheSizes {
  std::int64_t l1 = 32 << 10;
  std::int64_t l2 = 1 << 20;
};

/// As the system tells them; the defaults where it does not.
const CacheSizes& cache_sizes();

/// How a thread walks through its product (tile.h). A step is one line of weights a block.
struct Blocking {
  std::int64_t chunk_steps = 0;
  std::int64_t tiles_at_once = 0;
};

/// `unit`: chunks are a whole number of it (a group, or the k of a packed line).
/// `decoded`: the tile reads a panel that was written for it, and not the packed weights.
Blocking choose_blocking(const CacheSizes& caches, std::int64_t steps, std::int64_t unit,
                         std::int64_t rows, bool decoded);

/// The same for tiles of `tile_rows` rows that go over pairs of blocks (x86/amx.h).
Blocking choose_wide_blocking(const CacheSizes& caches, std::int64_t steps, std::int64_t unit,
                              std::int64_t rows, std::int64_t tile_rows);

}  // namespace qassay::own
