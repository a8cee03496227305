#pragma once

#include <cstdint>

namespace qassay {

/// Where a 2-D convolution looks: images are NHWC, one image a row of height * width * channels
/// numbers. The same stride and zero padding on all sides. Output channel o reads the input
/// channels of its group, [o / (outputs / groups)] * group_channels() and on; groups == channels is
/// depthwise.
///
/// Its weights are a matrix W[n,k] of n output channels and k = kernel_height * kernel_width *
/// group_channels(), in this order (the last fastest): with the patches of the input as rows it is
/// the linear layer y[pixel, n] = patch[pixel, k] * W[n,k]^T.
struct Convolution {
  std::int64_t height = 0, width = 0, channels = 0;  // of the input
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;

  std::int64_t out_height() const { return (height + 2 * padding - kernel_height) / stride + 1; }
  std::int64_t out_width() const { return (width + 2 * padding - kernel_width) / stride + 1; }
  std::int64_t out_pixels() const { return out_height() * out_width(); }
  std::int64_t features() const { return height * width * channels; }  // of one input image
  std::int64_t group_channels() const { return channels / groups; }
  std::int64_t k() const { return kernel_height * kernel_width * group_channels(); }

  bool operator==(const Convolution&) const = default;
};

}  // namespace qassay
