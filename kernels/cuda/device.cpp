#include "kernels/cuda/device.hpp"

#include <fmt/format.h>

#include <new>
#include <stdexcept>
#include <utility>

namespace qassay::cuda {
namespace {

constexpr int kDevice = 0;
constexpr int kLeastMajor = 8;  // mma.m16n8k16 and cp.async

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, kDevice), "asking for the device's attributes");
  return value;
}

/// Why there is no device. CUDA calls a driver that is not there one that is too old.
std::string why_none(cudaError_t error) {
  if (error == cudaSuccess) return "no device";
  if (error != cudaErrorInsufficientDriver) return cudaGetErrorString(error);
  return fmt::format("no NVIDIA driver, or one older than CUDA {}.{}", CUDART_VERSION / 1000,
                     CUDART_VERSION % 1000 / 10);
}

DeviceState look_for_device() {
  DeviceState state;
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    state.missing = fmt::format("no GPU answers ({})", why_none(error));
    return state;
  }
  try {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, kDevice), "asking for the device's properties");
    int runtime = 0;
    check(cudaRuntimeGetVersion(&runtime), "asking for CUDA's version");
    state.l2_bytes = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize));
    if (properties.major < kLeastMajor) {
      state.missing = fmt::format("{} has compute capability {}.{}, and {}.0 is needed",
                                  properties.name, properties.major, properties.minor, kLeastMajor);
      return state;
    }
    state.name = fmt::format("{}, sm_{}{}, CUDA {}.{}", properties.name, properties.major,
                             properties.minor, runtime / 1000, runtime % 1000 / 10);
  } catch (const std::exception& fault) {
    state.missing = fault.what();
  }
  return state;
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // takes the error back: the next call is not to find it
    throw std::bad_alloc();
  }
  throw std::runtime_error(
      fmt::format("CUDA: {} ({}), {}", cudaGetErrorString(error), cudaGetErrorName(error), what));
}

const DeviceState& device_state() {
  static const DeviceState state = look_for_device();
  return state;
}

cudaStream_t the_stream() {
  static const cudaStream_t stream = [] {
    cudaStream_t made = nullptr;
    check(cudaSetDevice(kDevice), "choosing the device");
    check(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), "making a stream");
    return made;
  }();
  return stream;
}

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const cudaStream_t stream = the_stream();
  check(cudaMalloc(&data_, bytes), "allocating memory");
  const cudaError_t cleared = cudaMemsetAsync(data_, 0, bytes, stream);
  if (cleared != cudaSuccess) cudaFree(data_);
  check(cleared, "clearing memory");
}

void DeviceMemory::upload(const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(data_, from, bytes, cudaMemcpyHostToDevice, the_stream()),
        "copying to the device");
  check(cudaStreamSynchronize(the_stream()), "copying to the device");
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  cudaFree(data_);  // which also waits for work that still uses it; a fault shows in the next call
}

DeviceMemory DeviceMemory::copy() const {
  DeviceMemory other(bytes_);
  if (bytes_ == 0) return other;
  check(cudaMemcpyAsync(other.data_, data_, bytes_, cudaMemcpyDeviceToDevice, the_stream()),
        "copying on the device");
  check(cudaStreamSynchronize(the_stream()), "copying on the device");
  return other;
}

}  // namespace qassay::cuda
