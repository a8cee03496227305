// Many rows of x. A block of threads computes 64 rows x 64 channels, line after line; weights and x
// of the next lines come by cp.async into shared memory. Of its four warps each has 32 rows x 32
// channels: 32 sums a lane, and as many for the span of k that shares a scale.
//
//            channels 0..31   32..63
//   rows  0..31   warp 0      warp 1
//        32..63   warp 2      warp 3

#include "kernels/cuda/codes.cuh"
#ifdef __CUDACC__
#include "kernels/cuda/functions.h"
#endif

namespace qassay::cuda {
namespace {

constexpr int kTileThreads = 128;
constexpr int kStages = 3;
constexpr int kRows = 64;
constexpr int kBlocksOfWarp = 2;
constexpr int kRowTiles = 4;  // of a warp
constexpr int kChunksOfRow = kLine / kChunk;

static_assert(kBlocksOfWarp * 2 == kPaddedBlocks && kRowTiles * kRowsOfTile * 2 == kRows);

/// One line of all that the block of threads needs: 12 KiB with 8-bit codes.
template <int kBits>
struct Stage {
  static constexpr int kVectorsOfBlock = kVectorsOf<kBits> * kWarp;

  uint4 x[kRows * kChunksOfRow];
  uint4 words[kPaddedBlocks * kVectorsOfBlock];

  __device__ void fetch(const CodesArgs& args, int64_t first_block, int64_t first_row,
                        int64_t line) {
    for (int i = threadIdx.x; i < kRows * kChunksOfRow; i += kTileThreads) {
      const int row = i / kChunksOfRow;
      const int chunk = i % kChunksOfRow;
      copy_later(&x[shared_chunk(row, chunk)],
                 args.x + ((first_row + row) * args.lines + line) * kLine + chunk * kChunk);
    }
    const auto* const from = static_cast<const uint4*>(args.words);
    for (int i = threadIdx.x; i < kPaddedBlocks * kVectorsOfBlock; i += kTileThreads) {
      const int64_t block = first_block + i / kVectorsOfBlock;
      copy_later(&words[i],
                 from + vector_at<kBits>(block, line, args.lines, 0, 0) + i % kVectorsOfBlock);
    }
  }
  /// `block`: of the four here.
  __device__ LaneWords<kBits> words_of(int block, int lane) const {
    LaneWords<kBits> lanes;
#pragma unroll
    for (int vector = 0; vector < kVectorsOf<kBits>; ++vector)
      lanes.set(vector, words[block * kVectorsOfBlock + vector * kWarp + lane]);
    return lanes;
  }
};

/// A lane's chunks of x in shared memory.
struct SharedInput {
  const uint4* x;
  int first_row;
  int lane;

  __device__ uint4 operator()(int row_tile, int half) const {
    const int row = first_row + row_tile * kRowsOfTile + row_of_input(lane);
    return x[shared_chunk(row, k_of_chunk(half, lane) / kChunk)];
  }
};

__device__ inline void store_block(const CodesArgs& args, int64_t block, int64_t first_row,
                                   int lane, const float (&total)[kRowTiles][4]) {
#pragma unroll
  for (int tile = 0; tile < kRowTiles; ++tile) {
#pragma unroll
    for (int sum = 0; sum < 4; ++sum) {
      const int64_t row = first_row + tile * kRowsOfTile + row_of_sum(lane, sum);
      const int64_t channel = block * kBlock + channel_of_sum(lane, sum);
      if (row >= args.m) continue;
      const float bias = args.bias == nullptr ? 0.0F : args.bias[channel];
      args.y[row * args.blocks * kBlock + channel] = total[tile][sum] + bias;
    }
  }
}

template <int kBits, int kSpan, bool kZeros>
__global__ void __launch_bounds__(kTileThreads) tile_kernel(CodesArgs args) {
  __shared__ Stage<kBits> stages[kStages];
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const int64_t first_block = static_cast<int64_t>(blockIdx.x) * kPaddedBlocks;
  const int64_t first_row = static_cast<int64_t>(blockIdx.y) * kRows;
  const int my_block = warp % 2 * kBlocksOfWarp;
  const int my_row = warp / 2 * kRowTiles * kRowsOfTile;

  for (int i = 0; i < kStages - 1; ++i) {
    if (i < args.lines) stages[i].fetch(args, first_block, first_row, i);
    commit_copies();  // of nothing too: lines are counted by groups
  }
  float total[kBlocksOfWarp][kRowTiles][4] = {};
  for (int64_t line = 0; line < args.lines; ++line) {
    wait_for_copies<kStages - 2>();
    __syncthreads();  // all have their part of this line here, and none still reads the line before
    const int64_t next = line + kStages - 1;
    if (next < args.lines) stages[next % kStages].fetch(args, first_block, first_row, next);
    commit_copies();
    const Stage<kBits>& stage = stages[line % kStages];
#pragma unroll
    for (int i = 0; i < kBlocksOfWarp; ++i) {
      add_line<kBits, kSpan, kZeros, kRowTiles>(args, first_block + my_block + i, line, lane,
                                                stage.words_of(my_block + i, lane),
                                                SharedInput{stage.x, my_row, lane}, total[i]);
    }
  }
#pragma unroll
  for (int i = 0; i < kBlocksOfWarp; ++i)
    store_block(args, first_block + my_block + i, first_row + my_row, lane, total[i]);
}

}  // namespace

#ifdef __CUDACC__
namespace {

struct Launch {
  const CodesArgs& args;
  cudaStream_t stream;

  template <int kBits, int kSpan, bool kZeros>
  cudaError_t go() const {
    const dim3 grid(static_cast<unsigned>(args.blocks / kPaddedBlocks),
                    static_cast<unsigned>(divide_up(args.m, kRows)));
    tile_kernel<kBits, kSpan, kZeros><<<grid, kTileThreads, 0, stream>>>(args);
    return cudaGetLastError();
  }
};

}  // namespace

cudaError_t tile_codes(int bits, const CodesArgs& args, cudaStream_t stream) {
  return with_format(bits, args, Launch{args, stream});
}
#endif

}  // namespace qassay::cuda
