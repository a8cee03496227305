#include "core/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/half.hpp"

namespace qassay {
namespace {

/// The scale as it will be stored: codes are chosen against the rounded number.
float stored_scale(float scale, DType type, std::string_view place) {
  if (!std::isfinite(scale)) {
    throw InputError(place, "a value is not a finite number",
                     "check the model for NaN and infinity");
  }
  if (type == DType::f32) return std::max(scale, FLT_MIN);
  if (scale > kF16Max) {
    throw InputError(place, fmt::format("a scale of {} does not fit in FP16", scale),
                     "use a scheme with FP32 scales (per channel)");
  }
  if (scale >= kF16MinNormal) return f16_to_f32(f32_to_f16(scale));
  const float steps = std::ceil(scale / kF16MinSubnormal);
  return std::max(steps, 1.0F) * kF16MinSubnormal;
}

/// The grid, unless its ends are beyond FP32: rounded outwards, a range near its limit would turn
/// finite weights into infinities.
Grid finite_grid(const Grid& grid, std::string_view place) {
  if (std::isfinite(grid.value(grid.low)) && std::isfinite(grid.value(grid.high))) return grid;
  throw InputError(place, fmt::format("steps of {} reach beyond the range of FP32", grid.scale),
                   "check the model for values out of proportion");
}

/// Adding and subtracting 1.5 * 2^23 rounds any |x| < 2^22 to the nearest integer, ties to even,
/// for that is where a float's last bit is worth 1. Unlike std::nearbyint it vectorizes with SSE2.
constexpr float kRounder = 0x1.8p23F;

/// Signed steps from the grid's zero, limited first: the limits are integers, so limiting and
/// rounding commute, and the rounder's range holds for any x. A NaN fails both comparisons.
struct Steps {
  explicit Steps(const Grid& grid)
      : scale(grid.scale),
        least(static_cast<float>(grid.low - grid.zero)),
        most(static_cast<float>(grid.high - grid.zero)) {}

  int operator()(float x) const {
    const float exact = x / scale;
    const float raised = exact > least ? exact : least;
    const float limited = raised < most ? raised : most;
    return static_cast<int>((limited + kRounder) - kRounder);
  }

  float scale, least, most;
};

/// The largest |x[i]| of n activations.
float finite_magnitude(const float* x, std::int64_t n) {
  const float max_abs = largest_magnitude(x, n);
  if (std::isfinite(max_abs)) return max_abs;
  throw InputError("activations", "a value is not a finite number",
                   "check the model and its input for NaN and infinity");
}

}  // namespace

int Grid::code(float x) const {
  const float steps = std::nearbyint(x / scale);  // the default rounding mode: ties to even
  if (std::isnan(steps)) return low;
  const float limited =
      std::clamp(steps, static_cast<float>(low - zero), static_cast<float>(high - zero));
  return static_cast<int>(limited) + zero;
}

float Grid::value(int c) const { return static_cast<float>(c - zero) * scale; }

Grid symmetric_grid(float max_abs, int bits, DType scales, std::string_view place) {
  const int zero = 1 << (bits - 1);
  const int reach = zero - 1;
  const float scale = stored_scale(max_abs / static_cast<float>(reach), scales, place);
  return finite_grid({scale, zero, zero - reach, zero + reach}, place);
}

Grid asymmetric_grid(float min, float max, int bits, DType scales, std::string_view place) {
  min = std::min(min, 0.0F);
  max = std::max(max, 0.0F);
  const int high = (1 << bits) - 1;
  // Halved first: max - min overflows for the widest ranges of FP32.
  const float range = (max / 2 - min / 2) / static_cast<float>(high) * 2;
  const float scale = stored_scale(range, scales, place);
  const float zero = std::clamp(std::nearbyint(-min / scale), 0.0F, static_cast<float>(high));
  return finite_grid({scale, static_cast<int>(zero), 0, high}, place);
}

void quantize_block(const float* x, std::int64_t n, const Grid& grid, std::uint8_t* codes) {
  const Steps steps(grid);
  const int zero = grid.zero;
  for (std::int64_t i = 0; i < n; ++i) codes[i] = static_cast<std::uint8_t>(steps(x[i]) + zero);
}

float quantize_row(const float* x, std::int64_t k, std::int8_t* codes) {
  const float max_abs = finite_magnitude(x, k);
  const Grid grid = symmetric_grid(max_abs, 8, DType::f32, "activations");
  const Steps steps(grid);
  for (std::int64_t i = 0; i < k; ++i) codes[i] = static_cast<std::int8_t>(steps(x[i]));
  return grid.scale;
}

void quantize_row_blocked(const float* x, std::int64_t k, std::int64_t block, std::int8_t* codes,
                          float* scales) {
  constexpr float kReach = 127;
  for (std::int64_t begin = 0; begin < k; begin += block) {
    const std::int64_t end = std::min(begin + block, k);
    const float max_abs = finite_magnitude(x + begin, end - begin);
    const Grid grid{.scale = max_abs / kReach, .zero = 0, .low = -127, .high = 127};
    *scales++ = finite_grid(grid, "activations").scale;
    const float exact = kReach / max_abs;
    const float inverse = std::isfinite(exact) ? exact : 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const float steps = (x[i] * inverse + kRounder) - kRounder;
      codes[i] = static_cast<std::int8_t>(std::clamp(steps, -kReach, kReach));
    }
  }
}

}  // namespace qassay
