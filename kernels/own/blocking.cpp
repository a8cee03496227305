#include "kernels/own/blocking.hpp"

#include <unistd.h>

#include <algorithm>

#include "kernels/own/args.h"

namespace qassay::own {
namespace {

std::int64_t size_or(int name, std::int64_t fallback) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes : fallback;
}

}  // namespace

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes{size_or(_SC_LEVEL1_DCACHE_SIZE, CacheSizes{}.l1),
                                size_or(_SC_LEVEL2_CACHE_SIZE, CacheSizes{}.l2)};
  return sizes;
}

Blocking choose_blocking(const CacheSizes& caches, std::int64_t steps, std::int64_t unit,
                         std::int64_t rows, bool decoded) {
  constexpr std::int64_t kStepBytes = kPanelBlocks * kLine;
  const std::int64_t tiles = tile_count(rows);

  // All tiles of rows pass over a chunk: a quarter of L2 leaves room for x, the sums and the chunk
  // to come. A single tile passes once: in place it needs no chunks, decoded ones stay in L1.
  std::int64_t longest = caches.l2 / 4 / kStepBytes;
  if (tiles == 1) longest = decoded ? caches.l1 / 2 / kStepBytes : steps;
  const std::int64_t chunks = divide_up(steps, std::max(longest, unit));
  const std::int64_t chunk = divide_up(divide_up(steps, chunks), unit) * unit;

  constexpr std::int64_t kTileSums = kTileRows * kPanel * std::int64_t{sizeof(float)};
  return {chunk, std::clamp(caches.l2 / 8 / kTileSums, std::int64_t{1}, tiles)};
}

Blocking choose_wide_blocking(const CacheSizes& caches, std::int64_t steps, std::int64_t unit,
                              std::int64_t rows, std::int64_t tile_rows) {
  // Two blocks of a chunk take a third of L1, and leave room for the rows that pass over them.
  const std::int64_t tiles = tile_count(rows, tile_rows);
  const std::int64_t longest = caches.l1 / 3 / (2 * kLine);
  const std::int64_t chunks = divide_up(steps, std::max(longest, unit));
  const std::int64_t chunk = divide_up(divide_up(steps, chunks), unit) * unit;
  const std::int64_t tile_sums = tile_rows * kPanel * std::int64_t{sizeof(float)};
  // Tiles are taken in pairs.
  const std::int64_t fitting = caches.l2 / 8 / tile_sums / 2 * 2;
  return {chunk, std::clamp(fitting, std::int64_t{2}, tiles + tiles % 2)};
}

}  // namespace qassay::own
