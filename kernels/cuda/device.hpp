#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "kernels/kernel.hpp"

namespace qassay::cuda {

/// Throws std::bad_alloc when the device's memory is used up, and std::runtime_error, with what
/// CUDA says of the error, for all others.
void check(cudaError_t error, const char* what);

/// The first device that CUDA shows (CUDA_VISIBLE_DEVICES chooses it), or why there is none to use.
struct DeviceState {
  std::string name;     // "NVIDIA H100 80GB HBM3, sm_90, CUDA 13.0"; empty when it cannot
  std::string missing;  // empty when it can be used
  std::size_t l2_bytes = 0;

  std::optional<Refusal> refuses() const {
    return missing.empty() ? std::nullopt : std::optional(Refusal{missing});
  }
};
const DeviceState& device_state();

/// The one stream of this process.
cudaStream_t the_stream();

/// Memory on the device, zero at first. Throws as check() does.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  explicit DeviceMemory(std::size_t bytes);
  /// With the numbers of the host.
  template <typename T>
  explicit DeviceMemory(std::span<const T> numbers) : DeviceMemory(numbers.size_bytes()) {
    upload(numbers.data(), numbers.size_bytes());
  }
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory();

  DeviceMemory copy() const;
  std::size_t bytes() const { return bytes_; }
  /// nullptr when it is empty.
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void upload(const void* from, std::size_t bytes);

  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace qassay::cuda
