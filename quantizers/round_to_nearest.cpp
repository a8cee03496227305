#include "quantizers/round_to_nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/half.hpp"
#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

/// The two 16-bit formats as types, so that the loops over their conversions vectorize.
struct F16 {
  static constexpr std::string_view kName = "FP16";
  static std::uint16_t from(float value) { return f32_to_f16(value); }
  static float to(std::uint16_t half) { return f16_to_f32(half); }
};
struct Bf16 {
  static constexpr std::string_view kName = "BF16";
  static std::uint16_t from(float value) { return f32_to_bf16(value); }
  static float to(std::uint16_t half) { return bf16_to_f32(half); }
};

template <typename Half>
void narrow(ConstMatrix weights, QuantMatrix& out) {
  out.halves.resize(static_cast<std::size_t>(out.n * out.k));
  for_each_row(out.n, [&](std::int64_t row) {
    const float* x = weights.row(row);
    check_finite(x, out.k, row);
    const auto overflows = [](float value) { return !std::isfinite(Half::to(Half::from(value))); };
    if (overflows(largest_magnitude(x, out.k))) {
      const float* bad = std::find_if(x, x + out.k, overflows);
      throw InputError(fmt::format("weights, row {}, column {}", row, bad - x),
                       fmt::format("{} overflows {}", *bad, Half::kName),
                       "use a scheme of wider range, such as integers per channel");
    }
    std::uint16_t* halves = out.halves.data() + row * out.k;
    for (std::int64_t i = 0; i < out.k; ++i) halves[i] = Half::from(x[i]);
  });
}

template <typename Half>
void widen_row(const QuantMatrix& weights, std::int64_t row, float* out) {
  const std::uint16_t* halves = weights.halves.data() + row * weights.k;
  for (std::int64_t i = 0; i < weights.k; ++i) out[i] = Half::to(halves[i]);
}

void integer_row(const QuantMatrix& weights, std::int64_t row, float* out) {
  const NumberFormat& format = weights.scheme.weights;
  const std::int64_t block = block_size(format, weights.k);
  const std::uint8_t* codes = weights.codes.data() + row * weights.k;
  for (std::int64_t begin = 0; begin < weights.k; begin += block) {
    const std::int64_t end = std::min(begin + block, weights.k);
    const std::size_t index = weights.scale_index(row, begin);
    const float scale = weights.scales[index];
    const int zero = weights.zero_point(index);
    for (std::int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(codes[i] - zero) * scale;
  }
}

}  // namespace

QuantMatrix round_to_nearest(ConstMatrix weights, const Scheme& scheme) {
  check_not_empty(weights.rows, weights.cols);
  QuantMatrix out;
  out.scheme = scheme;
  out.n = weights.rows;
  out.k = weights.cols;
  switch (scheme.weights.kind) {
    case Kind::f32:
      out.values.resize(static_cast<std::size_t>(out.n * out.k));
      for_each_row(out.n, [&](std::int64_t row) {
        check_finite(weights.row(row), out.k, row);
        std::copy_n(weights.row(row), out.k, out.values.data() + row * out.k);
      });
      break;
    case Kind::f16:
      narrow<F16>(weights, out);
      break;
    case Kind::bf16:
      narrow<Bf16>(weights, out);
      break;
    case Kind::integer:
      return quantize_integers(
          weights, scheme,
          [](ConstMatrix block, const NumberFormat& format, std::string_view place) {
            return min_max_grid(block_extremes(block), format, place);
          });
  }
  return out;
}

std::vector<float> dequantize(const QuantMatrix& weights) {
  const Kind kind = weights.scheme.weights.kind;
  if (kind == Kind::f32) return weights.values;
  std::vector<float> values(static_cast<std::size_t>(weights.n * weights.k));
  const auto dequantize_row = kind == Kind::f16    ? widen_row<F16>
                              : kind == Kind::bf16 ? widen_row<Bf16>
                                                   : integer_row;
  for_each_row(weights.n, [&](std::int64_t row) {
    dequantize_row(weights, row, values.data() + row * weights.k);
  });
  return values;
}

}  // namespace qassay
