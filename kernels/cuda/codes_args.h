#pragma once

#include <stdint.h>

namespace qassay::cuda {

/// y[m, n] = x[m, k] W[n, k]^T + bias[n] with W of codes as layout.h has them; pointers to the
/// device's memory.
struct CodesArgs {
  const void* words;
  const uint16_t* scales;  // FP16
  const uint8_t* zeros;    // nullptr: 2^(bits-1)
  const float* bias;       // [blocks * 16], or nullptr
  int64_t blocks, lines, groups;
  int group;          // 32, 64 or 128
  const uint16_t* x;  // FP16 [m, lines * 64], and so many rows more that they are a multiple of 64
  float* y;           // [m, blocks * 16]
  int64_t m;
};

}  // namespace qassay::cuda
