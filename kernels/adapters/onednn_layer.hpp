#pragma once

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/buffer.hpp"
#include "core/error.hpp"
#include "core/matrix_view.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// A layer as oneDNN is asked for it: a matmul, or a convolution of NHWC images, 1 <= m <= m_max.
struct OnednnLayerShape {
  Problem problem;
  dnnl::memory::data_type x = dnnl::memory::data_type::f32;
  dnnl::memory::data_type weights = dnnl::memory::data_type::f32;
  dnnl::memory::data_type y = dnnl::memory::data_type::f32;
  bool bias = false;                   // n values of FP32, added before the scales
  std::vector<float> output_scales{};  // of a convolution, n values; empty: none
  int x_zero = 0;                      // code of x that stands for zero
};

/// Why oneDNN cannot do it on this machine, if so.
std::optional<Refusal> onednn_refuses(const OnednnLayerShape& shape);
/// The same for a layer whose int8 sums have to be exact.
std::optional<Refusal> onednn_refuses_int8(const OnednnLayerShape& shape);

dnnl::engine& onednn_engine();

/// One layer, for every m, on weights packed once.
///
/// oneDNN plans for one m. The plan for m_max chooses the layout of the weights; plans for smaller
/// m are made when first needed and take that layout as it is. x and y are dense: on rows with a
/// wider stride oneDNN falls to its scalar reference in silence.
///
/// Errors of oneDNN come as dnnl::error. Not safe for two calls at once, also on different weights.
class OnednnLayer {
 public:
  OnednnLayer(const OnednnLayerShape& shape, int threads);

  std::size_t weight_bytes() const { return weights_.get_size(); }
  /// Of a call with m_max rows; to be aligned to 64 bytes.
  std::size_t scratchpad_bytes() const { return scratchpad_bytes_; }
  /// oneDNN's own name of what runs; "ref..." is its scalar reference.
  std::string implementation() const;

  /// `plain`: W[n,k], row-major. `packed`: weight_bytes(), zeroed.
  void pack(const void* plain, std::byte* packed) const;
  /// A handle for execute(). The bytes stay the caller's.
  dnnl::memory packed_weights(std::byte* packed) const;

  void execute(std::int64_t m, const void* x, const dnnl::memory& weights, const float* bias,
               std::byte* scratchpad, void* y);

 private:
  struct Plan {
    dnnl::primitive primitive;
    std::unordered_map<int, dnnl::memory> arguments;
    Buffer scratchpad;  // only where this plan needs more than the one for m_max
  };
  Plan& plan(std::int64_t m);

  OnednnLayerShape shape_;
  int threads_;
  dnnl::stream stream_;
  dnnl::memory::desc weights_;
  std::size_t scratchpad_bytes_ = 0;
  std::string implementation_;
  std::unordered_map<std::int64_t, Plan> plans_;  // by m
};

/// Writes the rows of an FP32 matrix densely in another type, rounded to nearest, ties to even.
class OnednnConversion {
 public:
  explicit OnednnConversion(dnnl::memory::data_type type) : type_(type) {}

  void run(ConstMatrix x, std::byte* dense, int threads);

 private:
  dnnl::memory::data_type type_;
  // The plan for the shape seen last.
  std::int64_t rows_ = 0;
  std::int64_t stride_ = 0;
  dnnl::memory from_;
  dnnl::memory to_;
  dnnl::reorder primitive_;
};

}  // namespace qassay
