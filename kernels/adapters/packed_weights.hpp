#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <vector>

#include "core/buffer.hpp"

namespace qassay {

/// All that a call reads of a layer, in one piece of memory: the library's packed weights, then
/// vectors with one number an output channel (scales, bias), each on a cache line of its own.
///
/// Memory is touched first by `threads` OpenMP threads, an equal contiguous share each: where
/// packed weights lie by output channels, that is the share which the same thread will read.
class PackedWeights {
 public:
  /// The weights are left zero for the library to fill. Throws std::bad_alloc.
  PackedWeights(std::size_t weight_bytes, std::initializer_list<std::span<const float>> vectors,
                int threads);
  /// The same bytes at another place.
  PackedWeights copy() const;

  std::size_t bytes() const { return buffer_.size(); }
  std::byte* weights() const { return buffer_.data(); }
  /// nullptr when the vector is empty.
  const float* vector(std::size_t index) const;

 private:
  PackedWeights() = default;

  Buffer buffer_;
  std::vector<std::size_t> places_;  // of the vectors; 0 when empty
  int threads_ = 1;
};

}  // namespace qassay
