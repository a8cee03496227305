// Few rows of x: the time is that of reading the weights. A block of threads has 16 channels; its
// warps take turns at the lines, each with the vectors of its next lines under way in registers.
// The tensor cores multiply though most of their columns may be idle: one instruction takes the
// place of some hundred, and a lane's x is two loads a line. The warps' sums are added in order, so
// that a call gives the same bits every time.

#include "kernels/cuda/codes.cuh"
#ifdef __CUDACC__
#include "kernels/cuda/functions.h"
#endif

namespace qassay::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kAhead = 4;  // lines of a warp under way

template <int kBits>
__device__ inline LaneWords<kBits> read_line(const CodesArgs& args, int64_t block, int64_t line,
                                             int lane) {
  LaneWords<kBits> words{};
  if (line >= args.lines) return words;
  const auto* const from = static_cast<const uint4*>(args.words);
#pragma unroll
  for (int vector = 0; vector < kVectorsOf<kBits>; ++vector)
    words.set(vector, read_once(from + vector_at<kBits>(block, line, args.lines, vector, lane)));
  return words;
}

/// A lane's chunks of x as they are in memory. The sums of rows that are not there are never
/// stored: for those any will do, and without a branch the warp stays together.
struct GlobalInput {
  const CodesArgs& args;
  int64_t line;
  int lane;

  __device__ uint4 operator()(int row_tile, int half) const {
    const int64_t wanted = row_tile * kRowsOfTile + row_of_input(lane);
    const int64_t row = wanted < args.m ? wanted : args.m - 1;
    const uint16_t* const from =
        args.x + (row * args.lines + line) * kLine + k_of_chunk(half, lane);
    return __ldg(reinterpret_cast<const uint4*>(from));
  }
};

/// Adds up what the warps have, and stores it.
template <int kRowTiles>
__device__ inline void store_sums(const CodesArgs& args, int64_t block,
                                  const float (&total)[kRowTiles][4]) {
  __shared__ float sums[kWarps][kRowTiles][4][kWarp];
  const int warp = threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
#pragma unroll
  for (int tile = 0; tile < kRowTiles; ++tile) {
#pragma unroll
    for (int sum = 0; sum < 4; ++sum) sums[warp][tile][sum][lane] = total[tile][sum];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kRowTiles * kRowsOfTile * kBlock; i += kWarps * kWarp) {
    const int channel = i % kBlock;
    const int row = i / kBlock;
    if (row >= args.m) continue;
    const int from = lane_of_sum(channel, row % kRowsOfTile);
    const int number = number_of_sum(channel, row % kRowsOfTile);
    float y = args.bias == nullptr ? 0.0F : args.bias[block * kBlock + channel];
    for (int other = 0; other < kWarps; ++other) y += sums[other][row / kRowsOfTile][number][from];
    args.y[(row * args.blocks + block) * kBlock + channel] = y;
  }
}

template <int kBits, int kSpan, bool kZeros, int kRowTiles>
__global__ void __launch_bounds__(kWarps* kWarp, kRowTiles == 1 ? 3 : 2)
    stream_kernel(CodesArgs args) {
  const int lane = threadIdx.x % kWarp;
  const int64_t block = blockIdx.x;
  const int64_t first = threadIdx.x / kWarp;
  LaneWords<kBits> ahead[kAhead];
#pragma unroll
  for (int i = 0; i < kAhead; ++i)
    ahead[i] = read_line<kBits>(args, block, first + i * kWarps, lane);

  float total[kRowTiles][4] = {};
  for (int64_t begin = first; begin < args.lines; begin += kAhead * kWarps) {
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      const int64_t line = begin + i * kWarps;
      const LaneWords<kBits> words = ahead[i];
      ahead[i] = read_line<kBits>(args, block, line + kAhead * kWarps, lane);
      if (line >= args.lines) continue;  // the same for the whole warp, as the tensor cores ask
      add_line<kBits, kSpan, kZeros, kRowTiles>(args, block, line, lane, words,
                                                GlobalInput{args, line, lane}, total);
    }
  }
  store_sums<kRowTiles>(args, block, total);
}

}  // namespace

#ifdef __CUDACC__
namespace {

struct Launch {
  const CodesArgs& args;
  cudaStream_t stream;

  template <int kBits, int kSpan, bool kZeros>
  cudaError_t go() const {
    const auto blocks = static_cast<unsigned>(args.blocks);
    if (args.m <= kRowsOfTile) {
      stream_kernel<kBits, kSpan, kZeros, 1><<<blocks, kWarps * kWarp, 0, stream>>>(args);
    } else {
      stream_kernel<kBits, kSpan, kZeros, 2><<<blocks, kWarps * kWarp, 0, stream>>>(args);
    }
    return cudaGetLastError();
  }
};

}  // namespace

cudaError_t stream_codes(int bits, const CodesArgs& args, cudaStream_t stream) {
  return with_format(bits, args, Launch{args, stream});
}
#endif

}  // namespace qassay::cuda
