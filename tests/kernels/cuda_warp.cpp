#include "tests/kernels/cuda_warp.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "core/half.hpp"
#include "kernels/cuda/layout.h"

namespace qassay {

using namespace cuda;

namespace {

constexpr double kUnwritten = std::numeric_limits<double>::quiet_NaN();

using Chunk = std::array<std::uint32_t, 4>;  // 8 numbers of x
/// A lane's chunk of x for a tile of 8 rows and a half of a line.
using Input = std::function<Chunk(int row_tile, int half, int lane)>;
/// The sums of all lanes for each tile of 8 rows.
using Totals = std::vector<std::array<std::array<double, 4>, kWarp>>;

double half_of(std::uint32_t pair, int which) {
  return f16_to_f32(static_cast<std::uint16_t>(pair >> (16 * which)));
}

/// Two halves, subtracted as __hsub2 does.
std::uint32_t subtract(std::uint32_t a, std::uint32_t b) {
  std::uint32_t both = 0;
  for (const int which : {0, 1}) {
    const auto difference = static_cast<float>(half_of(a, which) - half_of(b, which));
    both |= static_cast<std::uint32_t>(f32_to_f16(difference)) << (16 * which);
  }
  return both;
}

template <typename T>
Chunk chunk_of(const std::vector<T>& x, std::int64_t first) {
  Chunk chunk{};
  for (int i = 0; i < kChunk; ++i)
    chunk[static_cast<std::size_t>(i / 2)] |=
        static_cast<std::uint32_t>(x.at(static_cast<std::size_t>(first + i))) << (16 * (i % 2));
  return chunk;
}

/// What both kernels share: add_line of codes.cuh, lane by lane.
template <int kBits>
class Line {
 public:
  Line(const WarpLayer& layer, std::int64_t block, std::int64_t line)
      : layer_(layer), block_(block), line_(line) {}

  void add(const Input& input, Totals& totals) const {
    for (int half = 0; half < 2; ++half) {
      for (int tile = 0; tile < kTilesOfHalf; ++tile) {
        for (std::size_t rows = 0; rows < totals.size(); ++rows)
          add_tile(input, half, tile, static_cast<int>(rows), totals[rows]);
      }
    }
  }

 private:
  void add_tile(const Input& input, int half, int tile, int rows,
                std::array<std::array<double, 4>, kWarp>& totals) const {
    WarpRegisters warp;
    for (int lane = 0; lane < kWarp; ++lane) {
      const auto at = static_cast<std::size_t>(lane);
      for (int reg = 0; reg < 4; ++reg)
        warp.a[at][static_cast<std::size_t>(reg)] =
            weights(half * kTilesOfHalf + tile, lane, reg, half);
      const Chunk chunk = input(rows, half, lane);
      const auto first = static_cast<std::size_t>(2 * tile);
      warp.b[at] = {chunk[first], chunk[first + 1]};
    }
    warp.multiply();
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int sum = 0; sum < 4; ++sum) {
        const double scale = f16_to_f32(layer_.packed.scales.at(scale_place(lane, half, sum / 2)));
        totals[static_cast<std::size_t>(lane)][static_cast<std::size_t>(sum)] +=
            scale * warp.d[static_cast<std::size_t>(lane)][static_cast<std::size_t>(sum)];
      }
    }
  }

  /// The kernels read the scales of both channels of a lane at once: they are side by side.
  std::size_t scale_place(int lane, int half, int which) const {
    const std::int64_t k = line_ * kLine + half * kHalfLine;
    return static_cast<std::size_t>(
        scale_at(block_, k / layer_.group, layer_.packed.groups, channel_of_sum(lane, 0)) + which);
  }

  std::uint32_t weights(int tile, int lane, int reg, int half) const {
    const int word = word_of<kBits>(tile, reg);
    const std::int64_t vector =
        vector_at<kBits>(block_, line_, layer_.packed.lines, word / kWordsOfVector, lane);
    const std::uint32_t codes = layer_.packed.words.at(
        static_cast<std::size_t>(vector * kWordsOfVector + word % kWordsOfVector));
    const int zero = layer_.packed.zeros.empty()
                         ? 1 << (kBits - 1)
                         : layer_.packed.zeros.at(scale_place(lane, half, reg % 2));
    return subtract(raised_codes<kBits>(codes, reg), raised_zero(zero));
  }

  const WarpLayer& layer_;
  std::int64_t block_, line_;
};

void add_line(const WarpLayer& layer, std::int64_t block, std::int64_t line, const Input& input,
              Totals& totals) {
  if (layer.bits == 4) {
    Line<4>(layer, block, line).add(input, totals);
  } else {
    Line<8>(layer, block, line).add(input, totals);
  }
}

/// x[64, 64] as tile_codes.cu lays it out in shared memory.
std::vector<std::uint16_t> shared_x(const WarpLayer& layer, std::int64_t first_row,
                                    std::int64_t line) {
  constexpr int kRows = 64;
  constexpr int kChunks = kLine / kChunk;
  std::vector<std::uint16_t> shared(static_cast<std::size_t>(kRows * kLine));
  for (int row = 0; row < kRows; ++row) {
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      const std::int64_t from =
          ((first_row + row) * layer.packed.lines + line) * kLine + chunk * kChunk;
      for (int i = 0; i < kChunk; ++i)
        shared.at(static_cast<std::size_t>(shared_chunk(row, chunk) * kChunk + i)) =
            layer.x.at(static_cast<std::size_t>(from + i));
    }
  }
  return shared;
}

void store(const WarpLayer& layer, std::int64_t block, std::int64_t first_row, const Totals& totals,
           std::vector<double>& y) {
  for (std::size_t tile = 0; tile < totals.size(); ++tile) {
    for (int lane = 0; lane < kWarp; ++lane) {
      for (int sum = 0; sum < 4; ++sum) {
        const std::int64_t row =
            first_row + static_cast<std::int64_t>(tile) * kRowsOfTile + row_of_sum(lane, sum);
        const std::int64_t channel = block * kBlock + channel_of_sum(lane, sum);
        if (row >= layer.m) continue;
        y.at(static_cast<std::size_t>(row * layer.channels() + channel)) =
            totals[tile][static_cast<std::size_t>(lane)][static_cast<std::size_t>(sum)];
      }
    }
  }
}

/// Of 2 x 2 warps in a block of threads, number `warp`.
void walk_warp(const WarpLayer& layer, std::int64_t first_block, std::int64_t first_row, int warp,
               std::vector<double>& y) {
  constexpr int kBlocks = 2;
  constexpr int kRowTiles = 4;
  const int my_row = warp / 2 * kRowTiles * kRowsOfTile;
  for (int i = 0; i < kBlocks; ++i) {
    const std::int64_t block = first_block + warp % 2 * kBlocks + i;
    Totals totals(kRowTiles);
    for (std::int64_t line = 0; line < layer.packed.lines; ++line) {
      const std::vector<std::uint16_t> shared = shared_x(layer, first_row, line);
      const Input input = [&](int row_tile, int half, int lane) {
        const int row = my_row + row_tile * kRowsOfTile + row_of_input(lane);
        return chunk_of(shared, shared_chunk(row, k_of_chunk(half, lane) / kChunk) * kChunk);
      };
      add_line(layer, block, line, input, totals);
    }
    store(layer, block, first_row + my_row, totals, y);
  }
}

}  // namespace

void WarpRegisters::multiply() {
  double left[16][16];
  double right[16][8];
  for (int lane = 0; lane < kWarp; ++lane) {
    const auto at = static_cast<std::size_t>(lane);
    const int group = lane >> 2;
    const int thread = lane % 4;
    for (int i = 0; i < 8; ++i) {
      const int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
      const int col = thread * 2 + (i & 1) + (i >= 4 ? 8 : 0);
      left[row][col] = half_of(a[at][static_cast<std::size_t>(i / 2)], i % 2);
    }
    for (int i = 0; i < 4; ++i) {
      const int row = thread * 2 + (i & 1) + (i >= 2 ? 8 : 0);
      right[row][group] = half_of(b[at][static_cast<std::size_t>(i / 2)], i % 2);
    }
  }
  for (int lane = 0; lane < kWarp; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const int row = (lane >> 2) + (i < 2 ? 0 : 8);
      const int col = lane % 4 * 2 + (i & 1);
      double& sum = d[static_cast<std::size_t>(lane)][static_cast<std::size_t>(i)];
      for (int k = 0; k < 16; ++k) sum += left[row][k] * right[k][col];
    }
  }
}

std::vector<double> walk_stream(const WarpLayer& layer) {
  constexpr std::int64_t kWarps = 8;
  const auto row_tiles = static_cast<std::size_t>(layer.m <= kRowsOfTile ? 1 : 2);
  std::vector<double> y(static_cast<std::size_t>(layer.m * layer.channels()), kUnwritten);
  for (std::int64_t block = 0; block < layer.packed.blocks; ++block) {
    std::vector<Totals> of_warps(kWarps, Totals(row_tiles));
    for (std::int64_t line = 0; line < layer.packed.lines; ++line) {
      const Input input = [&](int row_tile, int half, int lane) {
        const std::int64_t wanted = row_tile * kRowsOfTile + row_of_input(lane);
        const std::int64_t row = std::min(wanted, layer.m - 1);
        return chunk_of(layer.x,
                        (row * layer.packed.lines + line) * kLine + k_of_chunk(half, lane));
      };
      add_line(layer, block, line, input, of_warps[static_cast<std::size_t>(line % kWarps)]);
    }
    for (int i = 0; i < static_cast<int>(row_tiles) * kRowsOfTile * kBlock; ++i) {
      const int channel = i % kBlock;
      const int row = i / kBlock;
      if (row >= layer.m) continue;
      const auto lane = static_cast<std::size_t>(lane_of_sum(channel, row % kRowsOfTile));
      const auto sum = static_cast<std::size_t>(number_of_sum(channel, row % kRowsOfTile));
      double total = 0;
      for (const Totals& of_warp : of_warps)
        total += of_warp[static_cast<std::size_t>(row / kRowsOfTile)][lane][sum];
      y.at(static_cast<std::size_t>(row * layer.channels() + block * kBlock + channel)) = total;
    }
  }
  return y;
}

std::vector<double> walk_tiles(const WarpLayer& layer) {
  constexpr std::int64_t kRows = 64;
  std::vector<double> y(static_cast<std::size_t>(layer.m * layer.channels()), kUnwritten);
  for (std::int64_t first_row = 0; first_row < layer.m; first_row += kRows) {
    for (std::int64_t block = 0; block < layer.packed.blocks; block += kPaddedBlocks) {
      for (int warp = 0; warp < 4; ++warp) walk_warp(layer, block, first_row, warp, y);
    }
  }
  return y;
}

}  // namespace qassay
