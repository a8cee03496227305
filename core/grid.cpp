#include "core/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "core/error.hpp"
#include "core/half.hpp"

namespace qassay {
namespace {

/// The scale as it will be stored: codes are chosen against the rounded number.
float stored_scale(float scale, DType type) {
  if (!std::isfinite(scale)) {
    throw InputError("weights", "a value is not a finite number or its range overflows",
                     "check the model for NaN and infinity");
  }
  if (type == DType::f32) return std::max(scale, FLT_MIN);
  if (scale > kF16Max) {
    throw InputError("weights", fmt::format("a scale of {} does not fit in FP16", scale),
                     "use a scheme with FP32 scales (per channel)");
  }
  return std::max(f16_to_f32(f32_to_f16(scale)), kF16MinSubnormal);
}

}  // namespace

int Grid::code(float x) const {
  const float steps = std::nearbyint(x / scale);  // the default rounding mode: ties to even
  const float limited =
      std::clamp(steps, static_cast<float>(low - zero), static_cast<float>(high - zero));
  return static_cast<int>(limited) + zero;
}

float Grid::value(int c) const { return static_cast<float>(c - zero) * scale; }

Grid symmetric_grid(float max_abs, int bits, DType scales) {
  const int zero = 1 << (bits - 1);
  const int reach = zero - 1;
  return {stored_scale(max_abs / static_cast<float>(reach), scales), zero, zero - reach,
          zero + reach};
}

Grid asymmetric_grid(float min, float max, int bits, DType scales) {
  min = std::min(min, 0.0F);
  max = std::max(max, 0.0F);
  const int high = (1 << bits) - 1;
  // Halved first: max - min overflows for the widest ranges of FP32.
  const float range = (max / 2 - min / 2) / static_cast<float>(high) * 2;
  const float scale = stored_scale(range, scales);
  const float zero = std::clamp(std::nearbyint(-min / scale), 0.0F, static_cast<float>(high));
  return {scale, static_cast<int>(zero), 0, high};
}

float quantize_row(const float* x, std::int64_t k, std::int8_t* codes) {
  float max_abs = 0;
  for (std::int64_t i = 0; i < k; ++i) max_abs = std::max(max_abs, std::fabs(x[i]));
  const Grid grid = symmetric_grid(max_abs, 8, DType::f32);
  for (std::int64_t i = 0; i < k; ++i) {
    codes[i] = static_cast<std::int8_t>(grid.code(x[i]) - grid.zero);
  }
  return grid.scale;
}

}  // namespace qassay
