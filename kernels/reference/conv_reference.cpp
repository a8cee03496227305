// The plain kernels that all convolutions are compared with: any kernel, stride, padding and
// groups, double or exact integer sums, never tuned. Every output sums over the whole of k: outside
// of the image there are zeros.
//
// Floating activations: y = round_to_float(sum of x * value(w), in double, + bias).
// Static A8 activations ("a8t") with integer weights, one grid `input` (core/grid.hpp) for the
// whole tensor, on which zero has an exact code:
//   c     = input.code(x) - 128, an int8; outside of the image the code of 0
//   sum_b = sum of (w code - w zero) * c, exactly, in each block b of k
//   r     = fma(float(sum_b), scale_b, r) for b in order, from r = 0
//   y     = fma(r, input.scale, offset[n])       offset: static_offsets() of static_input.hpp
// which is what a kernel with the contract bit_exact computes. Values that are not finite are
// InputErrors.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/reference/reference_kernel.hpp"
#include "kernels/static_input.hpp"

namespace qassay {
namespace {

/// What the weights of `group` meet at one output pixel, patch[k], in their order.
template <typename T>
void read_patch(const Convolution& c, const T* image, std::int64_t pixel, std::int64_t group,
                T outside, T* patch) {
  const std::int64_t top = pixel / c.out_width() * c.stride - c.padding;
  const std::int64_t left = pixel % c.out_width() * c.stride - c.padding;
  for (std::int64_t y = top; y < top + c.kernel_height; ++y) {
    for (std::int64_t x = left; x < left + c.kernel_width; ++x) {
      const bool inside = y >= 0 && y < c.height && x >= 0 && x < c.width;
      for (std::int64_t i = 0; i < c.group_channels(); ++i) {
        const std::int64_t channel = group * c.group_channels() + i;
        *patch++ = inside ? image[(y * c.width + x) * c.channels + channel] : outside;
      }
    }
  }
}

class ConvPrepared : public ReferencePrepared {
 public:
  using ReferencePrepared::ReferencePrepared;

 protected:
  const Convolution& geometry() const { return *problem_.convolution; }

  /// y = output(n, patch) for all images, pixels and channels n; image(m) is the input.
  template <typename T, typename Image, typename Output>
  void for_each_output(Matrix y, T outside, Image image, Output output) const {
    const Convolution& c = geometry();
    const std::int64_t pixels = c.out_pixels();
    const std::int64_t group_outputs = weights_.n / c.groups;
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t at = 0; at < y.rows * pixels; ++at) {
      std::vector<T> patch(static_cast<std::size_t>(weights_.k));
      float* const out = y.row(at / pixels) + at % pixels * weights_.n;
      for (std::int64_t n = 0; n < weights_.n; ++n) {
        if (n % group_outputs == 0)
          read_patch(c, image(at / pixels), at % pixels, n / group_outputs, outside, patch.data());
        out[n] = output(n, patch.data());
      }
    }
  }
};

class FloatConv final : public ConvPrepared {
 public:
  using ConvPrepared::ConvPrepared;

  std::string implementation() const override { return "reference, double sums"; }
  std::size_t workspace_bytes() const override { return 0; }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<FloatConv>(*this); }

  void quantize_input(ConstMatrix, std::span<std::byte>) override {}

  void multiply(ConstMatrix x, std::span<std::byte>, Matrix y) override {
    std::vector<double> values;
    for (std::int64_t n = 0; n < weights_.n; ++n) {
      for (std::int64_t k = 0; k < weights_.k; ++k) values.push_back(weights_.value(n, k));
    }
    for_each_output(
        y, 0.0F, [&](std::int64_t m) { return x.row(m); },
        [&](std::int64_t n, const float* patch) {
          double sum = bias(n);
          for (std::int64_t k = 0; k < weights_.k; ++k)
            sum += patch[k] * values[static_cast<std::size_t>(n * weights_.k + k)];
          return static_cast<float>(sum);
        });
  }
};

/// The workspace holds the codes of the images.
class IntegerConv final : public ConvPrepared {
 public:
  IntegerConv(const Problem& problem, QuantMatrix weights, std::span<const float> bias, int threads)
      : ConvPrepared(problem, std::move(weights), bias, threads),
        offsets_(static_offsets(weights_, bias_)) {}

  std::string implementation() const override { return "reference, exact integer sums"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(problem_.m_max * problem_.inputs());
  }
  std::unique_ptr<Prepared> copy() const override { return std::make_unique<IntegerConv>(*this); }

  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    for (std::int64_t m = 0; m < x.rows; ++m) {
      for (std::int64_t i = 0; i < x.cols; ++i) {
        const float value = x.row(m)[i];
        if (!std::isfinite(value)) refuse_not_finite();
        image_codes(workspace, m)[i] = code(value);
      }
    }
  }

  void multiply(ConstMatrix, std::span<std::byte> workspace, Matrix y) override {
    for_each_output(
        y, code(0.0F), [&](std::int64_t m) { return image_codes(workspace, m); },
        [&](std::int64_t n, const std::int8_t* patch) {
          return std::fma(sum_of_products(n, patch), weights_.input.scale,
                          offsets_[static_cast<std::size_t>(n)]);
        });
  }

 private:
  std::int8_t code(float value) const {
    return static_cast<std::int8_t>(weights_.input.code(value) - 128);
  }
  std::int8_t* image_codes(std::span<std::byte> workspace, std::int64_t m) const {
    return reinterpret_cast<std::int8_t*>(workspace.data()) + m * problem_.inputs();
  }

  std::vector<float> offsets_;
};

}  // namespace

const Kernel& conv_f32_any_f32_reference() {
  static const ReferenceKernel<FloatConv, LayerKind::convolution, ReferenceInput::floating> kernel(
      "conv_f32_any_f32_reference");
  return kernel;
}

const Kernel& conv_a8t_any_f32_reference() {
  static const ReferenceKernel<IntegerConv, LayerKind::convolution, ReferenceInput::codes> kernel(
      "conv_a8t_any_f32_reference");
  return kernel;
}

}  // namespace qassay
