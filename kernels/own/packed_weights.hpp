#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/buffer.hpp"
#include "core/quant_matrix.hpp"

namespace qassay::own {

/// What a line of 64 bytes holds: 16 channels times some consecutive k.
enum class LineFormat {
  f32,   // 1 k:  [16] FP32
  f16,   // 2 k:  [2][16] FP16
  bf16,  // 2 k:  [16][2] BF16
  u8,    // 4 k:  [16][4] codes
  s8,    // 4 k:  [16][4] codes - 128
  u4,    // 8 k:  [16][4] bytes; byte i is the code of k = i, plus 16 times that of k = 4 + i
  s8x8,  // two lines, 8 k:  [16][8] codes - 128
  u4x8   // 8 k:  [8][8] bytes; the codes of channel c, plus 16 times those of channel 8 + c
};

/// Weights W[n,k] in blocks of 16 output channels, a block one stretch of memory, blocks one after
/// another, so that a product with one row of x reads memory once from end to end:
///
///   block:  [16 FP32 biases]  [16 FP32 scales]  [zero points]    lines of k, in order
///           if there are any  per channel only  asymmetric only
///   zero points: [groups][16] codes, filled up to whole lines
///   groups come in pairs: [2 x 16 FP16 scales] lines of group 2i, lines of group 2i + 1
///
/// Channels past n and k past the last are zero, and so are the lines that spread_lines() adds.
struct PackedLayout {
  LineFormat format = LineFormat::f32;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t group = 0;  // k that share a scale, a multiple of 8; 0: no groups
  bool bias = false;
  bool channel_scales = false;
  bool zero_points = false;

  std::int64_t k_per_line() const;
  std::int64_t words_together() const;  // 4-byte words of k that lie side by side in a row of x
  std::int64_t k_unit() const;          // that whole lines and words together have
  std::int64_t padded_k() const;        // to whole units
  std::int64_t groups() const;          // 1 when there are none
  std::int64_t zero_lines() const;
  std::int64_t blocks() const;
  std::size_t block_bytes() const;
};

/// The blocks that one of `threads` works on: [begin, end).
struct BlockRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
BlockRange share_of_thread(std::int64_t blocks, int thread, int threads);

/// Packed weights, each thread's blocks placed by that thread.
class PackedWeights {
 public:
  /// `bias`: n values, or empty as layout.bias says.
  PackedWeights(const PackedLayout& layout, const QuantMatrix& weights, std::span<const float> bias,
                int threads);
  PackedWeights copy() const;

  const PackedLayout& layout() const { return layout_; }
  const std::byte* data() const { return memory_.data(); }
  std::size_t bytes() const { return memory_.size(); }
  int threads() const { return threads_; }

 private:
  PackedWeights(const PackedLayout& layout, int threads);

  PackedLayout layout_;
  int threads_;
  Buffer memory_;
};

}  // namespace qassay::own
