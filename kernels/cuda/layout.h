#pragma once

// Where codes of 4 and 8 bits lie in the device's memory, and which lane of a warp holds which
// number of a product: arithmetic on indices alone, shared by the kernels and by the tests on the
// host.
//
// W is cut into blocks of 16 output channels, and those along k into lines of 64. A line is
//
//   [vector][lane][4 words]        1 vector of 4-bit codes, 2 of 8-bit ones: 512 or 1024 bytes
//
// so that a warp reads it with 16 bytes a lane, side by side. The instruction mma.m16n8k16 takes 16
// channels x 16 k from registers of the lanes; a line is four such tiles, and a lane's words hold
// what it feeds to them, tile after tile. Which k a tile takes is ours to choose as long as weights
// and x agree: k_of_tile makes what a lane needs of x 8 contiguous numbers for each half of a line,
// and keeps the halves apart, because groups of 32 end there.
//
// Padding: channels up to a multiple of 64, k up to whole lines. Its codes and scales are 0, and x
// is 0 there.

#include <stdint.h>

#ifdef __CUDACC__
#define QASSAY_HOST_DEVICE __host__ __device__
#else
#define QASSAY_HOST_DEVICE
#endif

namespace qassay::cuda {

constexpr int kWarp = 32;
constexpr int kBlock = 16;         // output channels
constexpr int kLine = 64;          // k
constexpr int kHalfLine = 32;      // k; the shortest group
constexpr int kTilesOfHalf = 2;    // mma.m16n8k16
constexpr int kRowsOfTile = 8;     // rows of x in one
constexpr int kWordsOfVector = 4;  // 16 bytes: the widest load
constexpr int kPaddedBlocks = 4;   // the number of blocks is a multiple of this
constexpr int kChunk = 8;          // numbers of x in 16 bytes

QASSAY_HOST_DEVICE constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

QASSAY_HOST_DEVICE constexpr int64_t blocks_of(int64_t n) {
  return divide_up(n, kBlock * kPaddedBlocks) * kPaddedBlocks;
}
QASSAY_HOST_DEVICE constexpr int64_t lines_of(int64_t k) { return divide_up(k, kLine); }
/// Groups of a channel, with those that the padding of k begins.
QASSAY_HOST_DEVICE constexpr int64_t groups_of(int64_t lines, int64_t group) {
  return divide_up(lines * kLine, group);
}

/// Vectors of a line that a lane has.
template <int kBits>
constexpr int kVectorsOf = kBits / 4;

/// The place of a lane's vector, in vectors.
template <int kBits>
QASSAY_HOST_DEVICE constexpr int64_t vector_at(int64_t block, int64_t line, int64_t lines,
                                               int vector, int lane) {
  return ((block * lines + line) * kVectorsOf<kBits> + vector) * kWarp + lane;
}

/// The place of a scale or zero point. The two channels of a lane are side by side.
QASSAY_HOST_DEVICE constexpr int64_t scale_at(int64_t block, int64_t group, int64_t groups,
                                              int channel) {
  return (block * groups + group) * kBlock + channel % 8 * 2 + channel / 8;
}

// What the registers of mma.m16n8k16 hold in each lane (PTX ISA, "Matrix Fragments for
// mma.m16n8k16 with floating point type"), with W as the first factor and rows of x as the columns
// of the second. A register has two halves.

/// The k, within the line, of number i in 0..3 of a lane's numbers of `tile` in 0..3: registers 0
/// and 1 of W and register 0 of x have i = half, the others i = 2 + half.
QASSAY_HOST_DEVICE constexpr int k_of_tile(int tile, int lane, int i) {
  return tile / kTilesOfHalf * kHalfLine + lane % 4 * kChunk + tile % kTilesOfHalf * 4 + i;
}
/// Of register 0..3 of W: the channel of the block, and i of both halves.
QASSAY_HOST_DEVICE constexpr int channel_of_weights(int lane, int reg) {
  return lane / 4 + reg % 2 * 8;
}
QASSAY_HOST_DEVICE constexpr int i_of_weights(int reg, int half) { return reg / 2 * 2 + half; }
/// Of registers 0 and 1 of x: the row, within 8.
QASSAY_HOST_DEVICE constexpr int row_of_input(int lane) { return lane / 4; }
/// Where the chunk of x begins that a lane needs for a half of a line: two registers for each of
/// its two tiles.
QASSAY_HOST_DEVICE constexpr int k_of_chunk(int half_line, int lane) {
  return half_line * kHalfLine + lane % 4 * kChunk;
}
/// Of sums 0..3: the channel of the block, and the row within 8.
QASSAY_HOST_DEVICE constexpr int channel_of_sum(int lane, int sum) {
  return lane / 4 + sum / 2 * 8;
}
QASSAY_HOST_DEVICE constexpr int row_of_sum(int lane, int sum) { return lane % 4 * 2 + sum % 2; }
/// The other way around: which lane has the sum of a channel and row, as which of its sums.
QASSAY_HOST_DEVICE constexpr int lane_of_sum(int channel, int row) {
  return channel % 8 * 4 + row / 2;
}
QASSAY_HOST_DEVICE constexpr int number_of_sum(int channel, int row) {
  return channel / 8 * 2 + row % 2;
}

// Codes within the words: register `reg` of `tile` is made of one word by a shift and a mask, so
// its two codes lie 16 bits apart.

template <int kBits>
constexpr int kRegistersOfWord = 16 / kBits;

/// Of the words that a lane has of a line.
template <int kBits>
QASSAY_HOST_DEVICE constexpr int word_of(int tile, int reg) {
  return (tile * 4 + reg) / kRegistersOfWord<kBits>;
}
template <int kBits>
QASSAY_HOST_DEVICE constexpr int shift_of(int reg, int half) {
  return reg % kRegistersOfWord<kBits> * kBits + half * 16;
}

/// 1024 as FP16, twice. Its last bit is worth 1: a code of up to 10 bits put into the low bits is
/// added to it.
constexpr uint32_t kRaised = 0x64006400;

/// Both codes of register `reg` as FP16, raised by 1024.
template <int kBits>
QASSAY_HOST_DEVICE constexpr uint32_t raised_codes(uint32_t word, int reg) {
  constexpr uint32_t kMask = kBits == 4 ? 0x000F000F : 0x00FF00FF;
  return ((word >> shift_of<kBits>(reg, 0)) & kMask) | kRaised;
}
/// The same of a zero point, twice: their difference is exact, for it is an integer of at most 8
/// bits.
QASSAY_HOST_DEVICE constexpr uint32_t raised_zero(int zero) {
  return static_cast<uint32_t>(zero) * 0x00010001U | kRaised;
}

/// Where a tile of x in shared memory has chunk 0..7 of a row's line, in chunks: eight lanes that
/// read at once, four chunks of two rows, meet all banks.
QASSAY_HOST_DEVICE constexpr int shared_chunk(int row, int chunk) {
  return row * (kLine / kChunk) + (chunk ^ (row % 2 * 4));
}

}  // namespace qassay::cuda
