#include "kernels/adapters/int8_rows.hpp"

#include <bit>
#include <exception>

#include "core/grid.hpp"
#include "kernels/per_isa.hpp"

namespace qassay {
namespace {

/// The largest |x| as its bit pattern, which orders like the number; a NaN is the largest of all.
QASSAY_PER_ISA
std::int32_t max_abs_bits(const float* x, std::int64_t k) {
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    const std::int32_t bits = __builtin_bit_cast(std::int32_t, x[i]) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

/// |x / scale| < 127.5 needs no clamp: the scale comes from the largest |x|.
QASSAY_PER_ISA
void codes_of_row(const float* x, std::int64_t k, float scale, std::int8_t* codes) {
  // Adding and taking away 1.5 * 2^23 rounds to nearest, ties to even, without a call.
  constexpr float kRounder = 12582912.0F;
  for (std::int64_t i = 0; i < k; ++i) {
    const float steps = (x[i] / scale + kRounder) - kRounder;
    codes[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(steps));
  }
}

QASSAY_PER_ISA
void scale_row(float* sums, std::int64_t n, const float* channel_scales, float row_scale) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto sum = static_cast<float>(__builtin_bit_cast(std::int32_t, sums[i]));
    const float r = __builtin_fmaf(sum, channel_scales[i], 0.0F);
    sums[i] = __builtin_fmaf(r, row_scale, 0.0F);
  }
}

QASSAY_PER_ISA
void scale_row_and_add(float* sums, std::int64_t n, const float* channel_scales, float row_scale,
                       const float* bias) {
  for (std::int64_t i = 0; i < n; ++i) {
    const auto sum = static_cast<float>(__builtin_bit_cast(std::int32_t, sums[i]));
    const float r = __builtin_fmaf(sum, channel_scales[i], 0.0F);
    sums[i] = __builtin_fmaf(r, row_scale, bias[i]);
  }
}

}  // namespace

void quantize_rows(ConstMatrix x, int threads, std::int8_t* codes, float* scales) {
  std::exception_ptr failure;  // no exception may leave the parallel region
#pragma omp parallel for num_threads(threads) schedule(static) if (x.rows > 1)
  for (std::int64_t m = 0; m < x.rows; ++m) {
    try {
      const auto max_abs = std::bit_cast<float>(max_abs_bits(x.row(m), x.cols));
      scales[m] = symmetric_grid(max_abs, 8, DType::f32, "activations").scale;
      codes_of_row(x.row(m), x.cols, scales[m], codes + m * x.cols);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void scale_rows(float* sums, std::int64_t m, std::int64_t n, const float* channel_scales,
                const float* row_scales, const float* bias, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static) if (m > 1)
  for (std::int64_t i = 0; i < m; ++i) {
    if (bias == nullptr) {
      scale_row(sums + i * n, n, channel_scales, row_scales[i]);
    } else {
      scale_row_and_add(sums + i * n, n, channel_scales, row_scales[i], bias);
    }
  }
}

}  // namespace qassay
