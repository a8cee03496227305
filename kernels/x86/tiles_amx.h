#pragma once

// The tiles of AMX: 8 registers of up to 16 rows of 64 bytes. The instructions are written out: the
// intrinsics of g++ 12 do not say that they read memory.

#include "kernels/own/panels.h"

namespace qassay::own {
namespace {

constexpr int kTileHeight = 16;

// Sums are in tiles 0 to 3; x in 4 and 5, weights in 6 and 7.
constexpr int kXTile = 4;
constexpr int kWeightsTile = 6;

/// Sets up the tiles of the calling thread for `rows` rows of x and `words` words of k at once, and
/// gives them back.
class Tiles {
 public:
  Tiles(int64_t rows, int64_t words) {
    // As LDTILECFG reads it.
    struct alignas(64) {
      unsigned char palette, start_row;
      unsigned char reserved[14];
      unsigned short row_bytes[16];
      unsigned char rows[16];
    } tiles = {};
    tiles.palette = 1;
    for (int tile = 0; tile < 8; ++tile) {
      const bool x = tile == kXTile || tile == kXTile + 1;
      tiles.row_bytes[tile] = static_cast<unsigned short>(x ? words * 4 : kLine);
      tiles.rows[tile] = static_cast<unsigned char>(tile < kWeightsTile ? rows : words);
    }
    asm volatile("ldtilecfg %0" : : "m"(tiles));
  }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

template <int kTile>
QASSAY_INLINE void load_tile(const void* at, int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(at), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
QASSAY_INLINE void store_tile(void* at, int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(at), "r"(stride), "i"(kTile) : "memory");
}
template <int kTile>
QASSAY_INLINE void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}

// add<sum, x, weights>: sums[row][channel] += products of the row's words and the channel's.
struct SignedBytes {
  template <int kSum, int kX, int kWeights>
  QASSAY_INLINE static void add() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kX), "i"(kWeights));
  }
};
/// Weights unsigned, x signed.
struct UnsignedBytes {
  template <int kSum, int kX, int kWeights>
  QASSAY_INLINE static void add() {
    asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kX), "i"(kWeights));
  }
};
struct PairsOfBf16 {
  template <int kSum, int kX, int kWeights>
  QASSAY_INLINE static void add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kX), "i"(kWeights));
  }
};

}  // namespace
}  // namespace qassay::own
