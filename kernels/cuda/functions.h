#pragma once

// What the files for the device do, called from the host: each enqueues work on a stream and
// returns what the launch said. All pointers are to the device's memory.

#include <cuda_runtime_api.h>
#include <stdint.h>

#include "kernels/cuda/codes_args.h"

namespace qassay::cuda {

/// Streams the weights once: for up to kStreamRows rows.
constexpr int kStreamRows = 16;
cudaError_t stream_codes(int bits, const CodesArgs& args, cudaStream_t stream);
/// Tiles of 64 rows x 64 channels, for any number of rows.
cudaError_t tile_codes(int bits, const CodesArgs& args, cudaStream_t stream);

/// to[m, stride] = x[m, k], rounded; zero from k on.
cudaError_t rows_to_f16(const float* x, int64_t m, int64_t k, uint16_t* to, int64_t stride,
                        cudaStream_t stream);
cudaError_t rows_to_bf16(const float* x, int64_t m, int64_t k, uint16_t* to, int64_t stride,
                         cudaStream_t stream);

/// quantize_row (core/grid.hpp) of every row: codes[m, stride], zero from k on, and scales[m].
/// Where it would throw, *not_finite becomes 1.
cudaError_t rows_to_s8(const float* x, int64_t m, int64_t k, int8_t* codes, int64_t stride,
                       float* scales, int* not_finite, cudaStream_t stream);
/// Turns sums[m, n] from int32 into FP32 in place: r = fma(sum, channel_scales[n], 0);
/// fma(r, row_scales[m], bias[n]). `bias` may be nullptr.
cudaError_t scale_sums(void* sums, int64_t m, int64_t n, const float* channel_scales,
                       const float* row_scales, const float* bias, cudaStream_t stream);
/// values[m, n] += bias[n].
cudaError_t add_bias(float* values, int64_t m, int64_t n, const float* bias, cudaStream_t stream);

/// Reads all words, which leaves the cache with them and nothing to write back. `sink`: one word,
/// written only if all were ones.
cudaError_t read_words(const uint4* words, int64_t count, uint32_t* sink, cudaStream_t stream);

}  // namespace qassay::cuda
