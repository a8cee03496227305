#include "quantizers/round_to_nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/extremes.hpp"
#include "core/grid.hpp"
#include "core/half.hpp"

namespace qassay {
namespace {

/// Runs work(row) for every row in parallel. An exception cannot leave a parallel region: that of
/// the lowest row is kept and thrown afterwards, the same for any number of threads.
template <typename Work>
void for_each_row(std::int64_t rows, const Work& work) {
  std::exception_ptr error;
  std::int64_t error_row = rows;
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) {
    try {
      work(row);
    } catch (...) {
#pragma omp critical(qassay_row_error)
      if (row < error_row) {
        error_row = row;
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

[[noreturn]] void refuse(std::int64_t row, std::int64_t col, float value, std::string_view fault,
                         std::string_view mend) {
  throw InputError(fmt::format("weights, row {}, column {}", row, col),
                   fmt::format("{} {}", value, fault), mend);
}

void check_finite(const float* x, std::int64_t k, std::int64_t row) {
  if (std::isfinite(largest_magnitude(x, k))) return;
  const float* bad = std::find_if(x, x + k, [](float value) { return !std::isfinite(value); });
  refuse(row, bad - x, *bad, "is not a finite number", "check the model for NaN and infinity");
}

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
      refuse(row, bad - x, *bad, fmt::format("overflows {}", Half::kName),
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

Grid fit_grid(Extremes range, const NumberFormat& format, std::string_view place) {
  if (format.zero_points) {
    return asymmetric_grid(range.min, range.max, format.bits, format.scales, place);
  }
  return symmetric_grid(std::max(-range.min, range.max), format.bits, format.scales, place);
}

Extremes tensor_extremes(ConstMatrix weights) {
  std::vector<Extremes> rows(static_cast<std::size_t>(weights.rows));
  for_each_row(weights.rows, [&](std::int64_t row) {
    check_finite(weights.row(row), weights.cols, row);
    rows[static_cast<std::size_t>(row)] = extremes(weights.row(row), weights.cols);
  });
  Extremes all = rows.front();
  for (const Extremes& row : rows) {
    all = {std::min(all.min, row.min), std::max(all.max, row.max)};
  }
  return all;
}

void store_grid(const Grid& grid, std::size_t index, QuantMatrix& out) {
  out.scales[index] = grid.scale;
  if (!out.zero_points.empty()) out.zero_points[index] = static_cast<std::uint8_t>(grid.zero);
}

void quantize_with_one_grid(ConstMatrix weights, QuantMatrix& out) {
  const Grid grid = fit_grid(tensor_extremes(weights), out.scheme.weights, "weights");
  store_grid(grid, 0, out);
  for_each_row(out.n, [&](std::int64_t row) {
    quantize_block(weights.row(row), out.k, grid, out.codes.data() + row * out.k);
  });
}

void quantize_by_block(ConstMatrix weights, QuantMatrix& out) {
  const NumberFormat& format = out.scheme.weights;
  const std::int64_t block = format.per == Granularity::block ? format.block : out.k;
  for_each_row(out.n, [&](std::int64_t row) {
    const float* x = weights.row(row);
    check_finite(x, out.k, row);
    const std::string place = fmt::format("weights, row {}", row);
    std::uint8_t* codes = out.codes.data() + row * out.k;
    std::size_t index = out.scale_index(row, 0);
    for (std::int64_t begin = 0; begin < out.k; begin += block, ++index) {
      const std::int64_t size = std::min(block, out.k - begin);
      const Grid grid = fit_grid(extremes(x + begin, size), format, place);
      store_grid(grid, index, out);
      quantize_block(x + begin, size, grid, codes + begin);
    }
  });
}

void quantize_integers(ConstMatrix weights, QuantMatrix& out) {
  const NumberFormat& format = out.scheme.weights;
  const bool one_grid = format.per == Granularity::tensor;
  const auto grids = static_cast<std::size_t>(one_grid ? 1 : out.n * blocks_per_row(format, out.k));
  out.codes.resize(static_cast<std::size_t>(out.n * out.k));
  out.scales.resize(grids);
  if (format.zero_points) out.zero_points.resize(grids);
  if (one_grid) {
    quantize_with_one_grid(weights, out);
  } else {
    quantize_by_block(weights, out);
  }
}

void integer_row(const QuantMatrix& weights, std::int64_t row, float* out) {
  const NumberFormat& format = weights.scheme.weights;
  const std::int64_t block = format.per == Granularity::block ? format.block : weights.k;
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
  if (weights.rows <= 0 || weights.cols <= 0) {
    throw InputError("weights", fmt::format("{} x {} values", weights.rows, weights.cols),
                     "give at least one row and one column");
  }
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
      quantize_integers(weights, out);
      break;
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
