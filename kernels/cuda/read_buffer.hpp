#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/device.hpp"

namespace qassay::cuda {

/// Memory of the device that is there to be read.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t bytes) : memory_(bytes / 16 * 16), sink_(sizeof(std::uint32_t)) {}

  std::size_t bytes() const { return memory_.bytes(); }
  /// Reads all of it, on the_stream().
  void enqueue() const;

 private:
  DeviceMemory memory_, sink_;
};

/// Bytes a second that the device reads from its memory at most.
double read_bytes_per_second();

}  // namespace qassay::cuda
