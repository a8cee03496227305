#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kernels/cuda/device.hpp"
#include "kernels/cuda/read_buffer.hpp"
#include "kernels/cuda/replay.hpp"
#include "kernels/kernel.hpp"

namespace qassay::cuda {

/// A linear layer on the device: what all of its kernels share. run() carries x there and y back,
/// for verification and for models; the clock times what is between.
///
/// What counts as the timed whole: with int8 activations their quantization from FP32 and the
/// product, as everywhere. Rounding x to FP16 or BF16 does not: a model on the device has its
/// activations in that format.
class DeviceLayer : public Prepared, private DeviceClock {
 public:
  std::size_t workspace_bytes() const final { return 0; }  // on the host
  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) final;
  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) final;
  DeviceClock* clock() final { return this; }

 protected:
  /// y has rows of `y_stride` on the device, the first n of them the layer's.
  DeviceLayer(const Problem& problem, std::int64_t y_stride);

  /// Both enqueue work on the_stream(), and are called again while a graph records what they do.
  virtual void enqueue_input() = 0;    // x() to what the product takes
  virtual void enqueue_product() = 0;  // y() from that
  virtual bool times_input() const { return false; }
  /// Called when all has been done. Throws what is to be said of x.
  virtual void check_input() {}

  const Problem& problem() const { return problem_; }
  std::int64_t rows() const { return rows_; }  // of the last x
  const float* x() const { return x_.as<float>(); }
  float* y() const { return y_.as<float>(); }

 private:
  double seconds(std::int64_t calls, bool cold) final;
  double read_bytes_per_second() final { return cuda::read_bytes_per_second(); }
  void enqueue_timed();

  Problem problem_;
  std::int64_t y_stride_;
  DeviceMemory x_;  // FP32 [m_max, k]
  DeviceMemory y_;  // FP32 [m_max, y_stride]
  std::int64_t rows_ = 0;
  std::unique_ptr<Replay> replay_;  // of calls with that many rows
};

/// Why no kernel on the device takes the problem, if so: sides that its indices cannot count, or
/// there is no device.
std::optional<Refusal> refuses_on_device(const Problem& problem);

/// `rows` rows of `row_bytes` each as they are in `from`, with zeros up to `stride` bytes and up to
/// `padded_rows` rows.
std::vector<std::byte> padded(const void* from, std::int64_t rows, std::int64_t row_bytes,
                              std::int64_t padded_rows, std::int64_t stride);

inline std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace qassay::cuda
