// INT8 and BF16 peak with AMX: tiles of 16 rows of 64 bytes. Six chains cover a latency of 52
// cycles at one product in 16.

#include "hardware_profiles/probes/probe_kernels.h"

namespace {

const int kChains = 6;

// As LDTILECFG reads it: palette 1, and for each of 8 tiles the bytes of a row and the rows.
struct alignas(64) TileConfiguration {
  unsigned char palette;
  unsigned char start_row;
  unsigned char reserved[14];
  unsigned short row_bytes[16];
  unsigned char rows[16];
};

}  // namespace

// Factors and sums are zero: the units take no shorter for them.
#define QASSAY_TILE_CHAINS(instruction, steps)         \
  do {                                                 \
    TileConfiguration tiles_ = {};                     \
    tiles_.palette = 1;                                \
    for (int tile = 0; tile < 8; ++tile) {             \
      tiles_.row_bytes[tile] = 64;                     \
      tiles_.rows[tile] = 16;                          \
    }                                                  \
    long left_ = (steps);                              \
    __asm__ volatile(                                  \
        "ldtilecfg %1\n\t"                             \
        ".irp tile, 0, 1, 2, 3, 4, 5, 6, 7\n\t"        \
        "tilezero %%tmm\\tile\n\t"                     \
        ".endr\n\t"                                    \
        ".p2align 6\n"                                 \
        "1:\n\t"                                       \
        ".irp chain, 0, 1, 2, 3, 4, 5\n\t" instruction \
        " %%tmm7, %%tmm6, %%tmm\\chain\n\t"            \
        ".endr\n\t"                                    \
        "sub $1, %0\n\t"                               \
        "jnz 1b\n\t"                                   \
        "tilerelease"                                  \
        : "+r"(left_)                                  \
        : "m"(tiles_)                                  \
        : "cc");                                       \
  } while (0)

double qassay_int8_amx(long steps) {
  QASSAY_TILE_CHAINS("tdpbssd", steps);
  return static_cast<double>(steps) * kChains * (16 * 16 * 64) * 2;
}

double qassay_bf16_amx(long steps) {
  QASSAY_TILE_CHAINS("tdpbf16ps", steps);
  return static_cast<double>(steps) * kChains * (16 * 16 * 32) * 2;
}
