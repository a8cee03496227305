#include "models/patches.hpp"

#include <algorithm>

namespace qassay {

void fill_patches(const Convolution& c, const float* image, std::int64_t group, Matrix out) {
  const std::int64_t channels = c.group_channels();
  for (std::int64_t pixel = 0; pixel < c.out_pixels(); ++pixel) {
    const std::int64_t top = pixel / c.out_width() * c.stride - c.padding;
    const std::int64_t left = pixel % c.out_width() * c.stride - c.padding;
    float* to = out.row(pixel);
    for (std::int64_t y = top; y < top + c.kernel_height; ++y) {
      for (std::int64_t x = left; x < left + c.kernel_width; ++x, to += channels) {
        if (y < 0 || y >= c.height || x < 0 || x >= c.width) {
          std::fill_n(to, channels, 0.0F);
        } else {
          std::copy_n(image + (y * c.width + x) * c.channels + group * channels, channels, to);
        }
      }
    }
  }
}

}  // namespace qassay
