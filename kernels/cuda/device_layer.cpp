#include "kernels/cuda/device_layer.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "kernels/layer_kind.hpp"

namespace qassay::cuda {
namespace {

constexpr std::int64_t kLongestSide = std::int64_t{1} << 20;
constexpr int kNan = 0xFF;  // as every byte of a float

std::size_t float_bytes(std::int64_t rows, std::int64_t cols) {
  return static_cast<std::size_t>(rows * cols) * sizeof(float);
}

}  // namespace

std::optional<Refusal> refuses_on_device(const Problem& problem) {
  if (std::max({problem.m_max, problem.n, problem.k}) > kLongestSide)
    return Refusal{"a side is longer than 2^20"};
  return device_state().refuses();
}

std::vector<std::byte> padded(const void* from, std::int64_t rows, std::int64_t row_bytes,
                              std::int64_t padded_rows, std::int64_t stride) {
  std::vector<std::byte> all(static_cast<std::size_t>(padded_rows * stride));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(all.data() + row * stride, static_cast<const std::byte*>(from) + row * row_bytes,
                static_cast<std::size_t>(row_bytes));
  }
  return all;
}

DeviceLayer::DeviceLayer(const Problem& problem, std::int64_t y_stride)
    : problem_(problem),
      y_stride_(y_stride),
      x_(float_bytes(problem.m_max, problem.k)),
      y_(float_bytes(problem.m_max, y_stride)) {}

void DeviceLayer::quantize_input(ConstMatrix x, std::span<std::byte>) {
  if (x.rows != rows_) replay_.reset();
  rows_ = x.rows;
  const std::size_t width = float_bytes(1, x.cols);
  check(cudaMemcpy2DAsync(x_.as<float>(), width, x.data, float_bytes(1, x.stride), width,
                          static_cast<std::size_t>(rows_), cudaMemcpyHostToDevice, the_stream()),
        "copying x to the device");
  enqueue_input();
}

void DeviceLayer::multiply(ConstMatrix, std::span<std::byte>, Matrix y) {
  // What is not written shows.
  check(cudaMemsetAsync(this->y(), kNan, y_.bytes(), the_stream()), "clearing y");
  enqueue_product();
  check(cudaMemcpy2DAsync(y.data, float_bytes(1, y.stride), this->y(), float_bytes(1, y_stride_),
                          float_bytes(1, y.cols), static_cast<std::size_t>(y.rows),
                          cudaMemcpyDeviceToHost, the_stream()),
        "copying y from the device");
  check(cudaStreamSynchronize(the_stream()), "computing y");
  check_input();
}

void DeviceLayer::enqueue_timed() {
  if (times_input()) enqueue_input();
  enqueue_product();
}

double DeviceLayer::seconds(std::int64_t calls, bool cold) {
  if (rows_ == 0) throw std::logic_error("a layer is timed before it has run");
  if (!replay_) replay_ = std::make_unique<Replay>([this] { enqueue_timed(); });
  return replay_->seconds(calls, cold);
}

}  // namespace qassay::cuda
