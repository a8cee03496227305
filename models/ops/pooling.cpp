// Pooling over windows of an NHWC image. What lies in the padding takes no part: a maximum is over
// the pixels that there are, a mean is divided by their number.

#include <algorithm>
#include <limits>
#include <utility>

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

struct Window {
  std::int64_t kernel_height, kernel_width, stride, padding;
};

/// The pixels of a window that lie in the image: rows top .. bottom - 1, columns left .. right - 1.
struct Pixels {
  std::int64_t top, bottom, left, right;
};

class Pool : public Op {
 public:
  Pool(const Window& window, const OpPlace& place)
      : window_(window), in_(place.inputs.front()), out_(place.output), threads_(place.threads) {}

 protected:
  /// f(sample, index of the output pixel, its window) for all of them, in parallel over samples.
  template <typename F>
  void for_each_window(std::int64_t samples, F f) const {
    for_shares(samples, threads_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t sample = begin; sample < end; ++sample) {
        for (std::int64_t oy = 0; oy < out_.height; ++oy) {
          for (std::int64_t ox = 0; ox < out_.width; ++ox)
            f(sample, oy * out_.width + ox, pixels(oy, ox));
        }
      }
    });
  }

  /// f(index of the input pixel) for the pixels of a window.
  template <typename F>
  void for_each_pixel(const Pixels& pixels, F f) const {
    for (std::int64_t y = pixels.top; y < pixels.bottom; ++y) {
      for (std::int64_t x = pixels.left; x < pixels.right; ++x) f(y * in_.width + x);
    }
  }

  /// Before derivatives are added up.
  void clear(Matrix x) const {
    for_shares(x.rows, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::fill(x.row(begin), x.row(end), 0.0F);
    });
  }

  std::int64_t channels() const { return in_.channels; }

 private:
  Pixels pixels(std::int64_t oy, std::int64_t ox) const {
    const std::int64_t top = oy * window_.stride - window_.padding;
    const std::int64_t left = ox * window_.stride - window_.padding;
    return {std::max<std::int64_t>(top, 0), std::min(top + window_.kernel_height, in_.height),
            std::max<std::int64_t>(left, 0), std::min(left + window_.kernel_width, in_.width)};
  }

  Window window_;
  Extent in_, out_;
  int threads_;
};

class MaxPooling final : public Pool {
 public:
  using Pool::Pool;

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_each_window(y.rows, [&](std::int64_t sample, std::int64_t pixel, const Pixels& window) {
      const float* const in = x.front().row(sample);
      float* const out = y.row(sample) + pixel * channels();
      std::fill_n(out, channels(), -std::numeric_limits<float>::infinity());
      for_each_pixel(window, [&](std::int64_t at) {
        const float* const values = in + at * channels();
        // A NaN replaces what there is and stays.
        for (std::int64_t c = 0; c < channels(); ++c)
          out[c] = out[c] >= values[c] || out[c] != out[c] ? out[c] : values[c];
      });
    });
  }

  /// The derivative goes to the first of equal maxima.
  void backward(std::span<const ConstMatrix> x, ConstMatrix y, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    const Matrix to = dx.front();
    if (to.data == nullptr) return;
    clear(to);
    for_each_window(dy.rows, [&](std::int64_t sample, std::int64_t pixel, const Pixels& window) {
      const float* const in = x.front().row(sample);
      const float* const most = y.row(sample) + pixel * channels();
      const float* const slope = dy.row(sample) + pixel * channels();
      for (std::int64_t c = 0; c < channels(); ++c) {
        bool given = false;
        for_each_pixel(window, [&](std::int64_t at) {
          if (given || in[at * channels() + c] != most[c]) return;
          to.row(sample)[at * channels() + c] += slope[c];
          given = true;
        });
      }
    });
  }
};

class MeanPooling final : public Pool {
 public:
  using Pool::Pool;

  void forward(std::span<const ConstMatrix> x, Matrix y, Mode) override {
    for_each_window(y.rows, [&](std::int64_t sample, std::int64_t pixel, const Pixels& window) {
      const float* const in = x.front().row(sample);
      float* const out = y.row(sample) + pixel * channels();
      std::fill_n(out, channels(), 0.0F);
      for_each_pixel(window, [&](std::int64_t at) {
        for (std::int64_t c = 0; c < channels(); ++c) out[c] += in[at * channels() + c];
      });
      for (std::int64_t c = 0; c < channels(); ++c) out[c] /= count(window);
    });
  }

  void backward(std::span<const ConstMatrix>, ConstMatrix, ConstMatrix dy,
                std::span<const Matrix> dx) override {
    const Matrix to = dx.front();
    if (to.data == nullptr) return;
    clear(to);
    for_each_window(dy.rows, [&](std::int64_t sample, std::int64_t pixel, const Pixels& window) {
      const float* const slope = dy.row(sample) + pixel * channels();
      for_each_pixel(window, [&](std::int64_t at) {
        float* const out = to.row(sample) + at * channels();
        for (std::int64_t c = 0; c < channels(); ++c) out[c] += slope[c] / count(window);
      });
    });
  }

 private:
  static float count(const Pixels& window) {
    return static_cast<float>((window.bottom - window.top) * (window.right - window.left));
  }
};

Extent pooled(std::int64_t kernel, std::int64_t stride, std::int64_t padding, const Extent& input) {
  require(kernel >= 1 && stride >= 1 && padding >= 0, "needs kernel and stride >= 1, padding >= 0");
  require(padding < kernel, "has windows that lie in the padding");
  require(kernel <= input.height + 2 * padding && kernel <= input.width + 2 * padding,
          "has a kernel larger than its input");
  return {(input.height + 2 * padding - kernel) / stride + 1,
          (input.width + 2 * padding - kernel) / stride + 1, input.channels};
}

}  // namespace

Extent output_extent(const MaxPool& op, std::span<const Extent> inputs) {
  return pooled(op.kernel, op.stride, op.padding, inputs.front());
}
Extent output_extent(const AvgPool& op, std::span<const Extent> inputs) {
  return pooled(op.kernel, op.stride, op.padding, inputs.front());
}
Extent output_extent(const GlobalAvgPool&, std::span<const Extent> inputs) {
  return {1, 1, inputs.front().channels};
}

std::unique_ptr<Op> make_op(const MaxPool& op, const OpPlace& place) {
  return std::make_unique<MaxPooling>(Window{op.kernel, op.kernel, op.stride, op.padding}, place);
}
std::unique_ptr<Op> make_op(const AvgPool& op, const OpPlace& place) {
  return std::make_unique<MeanPooling>(Window{op.kernel, op.kernel, op.stride, op.padding}, place);
}
std::unique_ptr<Op> make_op(const GlobalAvgPool&, const OpPlace& place) {
  const Extent& in = place.inputs.front();
  return std::make_unique<MeanPooling>(Window{in.height, in.width, 1, 0}, place);
}

}  // namespace qassay
