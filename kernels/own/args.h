#pragma once

// How the files of one instruction set are called: raw pointers and numbers, no C++ library. An
// inline function of the library compiled there would be merged with the baseline's copy by the
// linker and crash older machines; `static` keeps everything of this header private to its user.

#include <stddef.h>
#include <stdint.h>

namespace qassay::own {

// Output channels that are packed side by side: a block. A tile computes kTileRows rows of x times
// some blocks of a panel: 6 x 64 numbers with 32 registers of 64 bytes, 6 x 16 with 16 of 32 bytes
// or 32 of 16. The sums, the weights of a step and one word of x fill the registers.
static const int64_t kBlock = 16;
#ifdef __aarch64__
static const int64_t kPanelBlocks = 1;
#else
static const int64_t kPanelBlocks = 4;
#endif
static const int64_t kPanel = kBlock * kPanelBlocks;
static const int64_t kTileRows = 6;

// A line is 64 bytes: the 16 channels of a block times 1, 2, 4 or 8 consecutive k. A step is what a
// tile consumes at once: one line a block and one 4-byte word (1 FP32, 2 BF16, 4 int8) a row of x.
static const int64_t kLine = 64;

// The zeros of the unsigned codes of symmetric formats.
static const int kZeroU8 = 128;
static const int kZeroU4 = 8;

static inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Rows are dealt out evenly, so that no tile is left with one or two of them.
static inline int64_t tile_count(int64_t rows, int64_t most = kTileRows) {
  return divide_up(rows, most);
}
// `parts` rows that make one of y stay together.
static inline int64_t tile_begin(int64_t tile, int64_t tiles, int64_t rows, int64_t parts) {
  return tile * (rows / parts) / tiles * parts;
}

// Lines from one block to the next, at least `lines`: where the tile reads four blocks side by
// side, at (nearly) multiples of 4 KiB their lines would compete for the same sets of L1.
static inline int64_t spread_lines(int64_t lines) {
  if (kPanelBlocks == 1) return lines;
  const int64_t sets = 64, apart = 5;
  const int64_t set = lines % sets;
  if (set < apart) return lines + apart - set;
  if (set > sets - apart) return lines + sets + apart - set;
  return lines;
}

// 4 bytes of any type.
typedef int32_t Word __attribute__((may_alias));

// One thread's share of y[m,n] = x[m,k] W[n,k]^T + bias[n].
struct LinearArgs {
  // Packed blocks (packed_weights.hpp) and those that are this thread's.
  const unsigned char* weights;
  size_t block_bytes;
  int64_t begin_block, end_block;
  int64_t n;
  int64_t k;      // padded with zeros to whole lines
  int64_t group;  // k that share a scale; 0: per channel
  int has_bias;
  int has_channel_scales;
  int64_t zero_lines;  // of zero points in front of a block's codes; 0: symmetric

  // x as words, one tile of rows after another, [steps][rows of the tile]; where the weights have
  // several words of k together, or the tile has, [steps / together][rows of the tile][together].
  const Word* x;
  int64_t m;
  int64_t tile_rows;  // the most rows of a tile
  int64_t parts;  // rows of x whose outputs are added up to one of y: 1; 2 for 16-bit codes, their
                  // high bytes and then their low ones
  const float* row_scales;    // [m]; int8 with one scale a row only
  const float* group_scales;  // [m][groups]; int8 with one scale a group only
  // [m][groups]: -zero * sum of the row's codes in the group, with 1 as the zero where the weights
  // have zero points; int8 only.
  const int32_t* corrections;

  float* y;
  int64_t y_stride;

  // Blocking: steps of one panel computed at a time by all tiles, and tiles that share it.
  int64_t chunk_steps;
  int64_t tiles_at_once;
  unsigned char*
      panel;            // [kPanelBlocks][spread_lines(chunk_steps)]: weights as the tile reads them
  float* panel_scales;  // [groups of a chunk][kPanel]
  int32_t* panel_zeros;  // the same; zero points only
  float* partial;        // [tiles_at_once * tile_rows][kPanel] sums (int32 for whole channels)
};

typedef void (*LinearFunction)(const LinearArgs&);

// One row of x into a tile: word i goes to words[i * stride]; where `together` words are, to
// words[i / together * stride + i % together]. The last word is filled up with zeros; words behind
// it stay as they are, for their integer weights are zero.

// core/grid.hpp's quantize_row with a given scale; `corrections` as above, `group` a multiple of 16
// or 0.
typedef void (*QuantizeRow)(const float* x, int64_t k, float scale, int zero, int64_t group,
                            Word* words, int64_t stride, int32_t* corrections);
// core/grid.hpp's quantize_row_blocked, and `corrections`; scales [k / group], not finite where the
// values are not.
typedef void (*QuantizeBlocks)(const float* x, int64_t k, int zero, int64_t group, Word* words,
                               int64_t stride, int32_t* corrections, float* scales);
// The largest code of 16 bits whose high byte, rounded to nearest, is one still: 127 * 256 + 127.
static const int kReach16 = 32639;
// Codes of 16 bits as two rows of bytes, the low ones `low` words behind the high ones. Scales and
// corrections are [2][groups]. Where the values are not finite, nor are the scales.
typedef void (*QuantizeHalves)(const float* x, int64_t k, int zero, int64_t group, Word* words,
                               int64_t low, int64_t stride, int32_t* corrections, int64_t groups,
                               float* scales);
// BF16, rounded to nearest even, two in a word; subnormal numbers become zero. Or for each number
// two, itself and what that is off by.
typedef void (*ConvertRow)(const float* x, int64_t k, Word* words, int64_t stride);

// core/extremes.hpp's, of k values.
typedef float (*LargestMagnitude)(const float* x, int64_t k);
// Up to kTileRows rows side by side: out[i * rows + r] = word i of from[r], which may begin at any
// byte, for i < words.
typedef void (*InterleaveWords)(const unsigned char* const* from, int64_t rows, int64_t words,
                                Word* out);
// The same for words of 4 int8. sums[rows][kLanes]: a row's numbers together grow by the sum of its
// int8.
static const int64_t kLanes = 4;
typedef void (*InterleaveCodes)(const unsigned char* const* from, int64_t rows, int64_t words,
                                Word* out, int32_t* sums);

// How an instruction set brings rows of x into tiles; null where none of its kernels needs it.
struct RowFunctions {
  LargestMagnitude largest_magnitude = nullptr;
  InterleaveWords interleave_words = nullptr;
  InterleaveCodes interleave_codes = nullptr;
  QuantizeRow quantize = nullptr;
  QuantizeBlocks quantize_blocks = nullptr;  // one scale a group
  QuantizeHalves quantize_halves = nullptr;  // the same
  ConvertRow convert = nullptr;              // to BF16
};

}  // namespace qassay::own
