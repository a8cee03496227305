#include "quantizers/weight_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "quantizers/row_loop.hpp"

namespace qassay {
namespace {

void quantize_tensor(ConstMatrix weights, const FitGrid& fit, QuantMatrix& out) {
  for_each_row(out.n, [&](std::int64_t row) { check_finite(weights.row(row), out.k, row); });
  const Grid grid = fit(weights, out.scheme.weights, "weights");
  store_grid(grid, 0, out);
  for_each_row(out.n, [&](std::int64_t row) {
    quantize_block(weights.row(row), out.k, grid, out.codes.data() + row * out.k);
  });
}

void quantize_rows(ConstMatrix weights, const FitGrid& fit, QuantMatrix& out) {
  const NumberFormat& format = out.scheme.weights;
  const std::int64_t block = block_size(format, out.k);
  for_each_row(out.n, [&](std::int64_t row) {
    const float* x = weights.row(row);
    check_finite(x, out.k, row);
    const std::string place = fmt::format("weights, row {}", row);
    std::uint8_t* codes = out.codes.data() + row * out.k;
    std::size_t index = out.scale_index(row, 0);
    for (std::int64_t begin = 0; begin < out.k; begin += block, ++index) {
      const std::int64_t size = std::min(block, out.k - begin);
      const Grid grid = fit({x + begin, 1, size}, format, place);
      store_grid(grid, index, out);
      quantize_block(x + begin, size, grid, codes + begin);
    }
  });
}

}  // namespace

QuantMatrix quantize_integers(ConstMatrix weights, const Scheme& scheme, const FitGrid& fit) {
  QuantMatrix out = integer_matrix(weights.rows, weights.cols, scheme);
  if (scheme.weights.per == Granularity::tensor) {
    quantize_tensor(weights, fit, out);
  } else {
    quantize_rows(weights, fit, out);
  }
  return out;
}

QuantMatrix integer_matrix(std::int64_t n, std::int64_t k, const Scheme& scheme) {
  const NumberFormat& format = scheme.weights;
  check_not_empty(n, k);
  if (format.kind != Kind::integer) {
    throw InputError("scheme", fmt::format("the weights of {} are no integers", to_string(scheme)),
                     "take the method rtn, or a scheme such as W4A16-g128");
  }
  const bool one_grid = format.per == Granularity::tensor;
  const auto grids = static_cast<std::size_t>(one_grid ? 1 : n * blocks_per_row(format, k));
  QuantMatrix out;
  out.scheme = scheme;
  out.n = n;
  out.k = k;
  out.codes.resize(static_cast<std::size_t>(n * k));
  out.scales.resize(grids);
  if (format.zero_points) out.zero_points.resize(grids);
  return out;
}

void check_not_empty(std::int64_t n, std::int64_t k) {
  if (n > 0 && k > 0) return;
  throw InputError("weights", fmt::format("{} x {} values", n, k),
                   "give at least one row and one column");
}

void check_finite(const float* x, std::int64_t k, std::int64_t row) {
  if (std::isfinite(largest_magnitude(x, k))) return;
  const float* bad = std::find_if(x, x + k, [](float value) { return !std::isfinite(value); });
  throw InputError(fmt::format("weights, row {}, column {}", row, bad - x),
                   fmt::format("{} is not a finite number", *bad),
                   "check the model for NaN and infinity");
}

Grid min_max_grid(Extremes range, const NumberFormat& format, std::string_view place) {
  if (format.zero_points) {
    return asymmetric_grid(range.min, range.max, format.bits, format.scales, place);
  }
  return symmetric_grid(std::max(-range.min, range.max), format.bits, format.scales, place);
}

Extremes block_extremes(ConstMatrix block) {
  if (block.rows == 1) return extremes(block.data, block.cols);
  std::vector<Extremes> rows(static_cast<std::size_t>(block.rows));
  for_each_row(block.rows, [&](std::int64_t row) {
    rows[static_cast<std::size_t>(row)] = extremes(block.row(row), block.cols);
  });
  Extremes all = rows.front();
  for (const Extremes& row : rows) {
    all = {std::min(all.min, row.min), std::max(all.max, row.max)};
  }
  return all;
}

std::int64_t block_size(const NumberFormat& format, std::int64_t k) {
  return format.per == Granularity::block ? format.block : k;
}

void store_grid(const Grid& grid, std::size_t index, QuantMatrix& out) {
  out.scales[index] = grid.scale;
  if (!out.zero_points.empty()) out.zero_points[index] = static_cast<std::uint8_t>(grid.zero);
}

Grid stored_grid(const QuantMatrix& weights, std::size_t index) {
  const bool asymmetric = weights.scheme.weights.zero_points;
  return {.scale = weights.scales[index],
          .zero = weights.zero_point(index),
          .low = asymmetric ? 0 : 1,
          .high = (1 << weights.scheme.weights.bits) - 1};
}

}  // namespace qassay
