#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/cuda/packed_codes.hpp"

namespace qassay {

/// A warp's registers around mma.m16n8k16, on the host: d[16, 8] += a[16, 16] * b[16, 8] with FP16
/// a and b, and d in double. Where the registers' numbers belong is written down from the PTX ISA
/// ("Matrix Fragments for mma.m16n8k16 with floating point type"), not from kernels/cuda/layout.h.
struct WarpRegisters {
  std::array<std::array<std::uint32_t, 4>, 32> a{};
  std::array<std::array<std::uint32_t, 2>, 32> b{};
  std::array<std::array<double, 4>, 32> d{};

  void multiply();
};

/// A layer as the kernels of kernels/cuda get it.
struct WarpLayer {
  int bits = 4;
  std::int64_t group = 0;
  cuda::PackedCodes packed;
  std::vector<std::uint16_t> x;  // FP16 [rows up to a multiple of 64, lines * 64]
  std::int64_t m = 0;

  std::int64_t channels() const { return packed.blocks * 16; }
};

/// y[m, channels], along the indices of stream_codes.cu and of tile_codes.cu. Whatever they would
/// read outside of their memory throws std::out_of_range.
std::vector<double> walk_stream(const WarpLayer& layer);
std::vector<double> walk_tiles(const WarpLayer& layer);

}  // namespace qassay
