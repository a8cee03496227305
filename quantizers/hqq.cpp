#include "quantizers/hqq.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr float kNorm = 0.7F;
constexpr float kFirstBeta = 10, kBetaGrowth = 1.01F;
constexpr int kIterations = 20;

/// What one pass over the weights of a grid finds: the objective, and the sums of a regression of
/// the weights without their outliers on the codes.
struct Sums {
  double objective = 0;  // of |error|^p, in steps of the first grid
  double count = 0;
  double codes = 0, code_squares = 0;
  double weights = 0, products = 0;

  void operator+=(const Sums& other) {
    objective += other.objective;
    count += other.count;
    codes += other.codes;
    code_squares += other.code_squares;
    weights += other.weights;
    products += other.products;
  }
};

Sums row_sums(const float* x, std::int64_t size, const Grid& grid, float step, float beta) {
  thread_local std::vector<std::uint8_t> codes;
  codes.resize(static_cast<std::size_t>(size));
  quantize_block(x, size, grid, codes.data());
  Sums sums;
  sums.count = static_cast<double>(size);
  for (std::int64_t i = 0; i < size; ++i) {
    const int code = codes[static_cast<std::size_t>(i)];
    const float error = (x[i] - static_cast<float>(code - grid.zero) * grid.scale) / step;
    const float magnitude = std::fabs(error);
    const float power = magnitude > 0 ? std::pow(magnitude, kNorm - 1) : 0;
    const float outlier = std::copysign(std::max(magnitude - power / beta, 0.0F), error);
    const double target = double{x[i]} - double{outlier} * step;
    sums.objective += double{power} * magnitude;
    sums.codes += code;
    sums.code_squares += double(code) * code;
    sums.weights += target;
    sums.products += target * code;
  }
  return sums;
}

Sums block_sums(ConstMatrix block, const Grid& grid, float step, float beta) {
  std::vector<Sums> rows(static_cast<std::size_t>(block.rows));
  for_each_row(block.rows, [&](std::int64_t row) {
    rows[static_cast<std::size_t>(row)] = row_sums(block.row(row), block.cols, grid, step, beta);
  });
  Sums all;
  for (const Sums& row : rows) all += row;
  return all;
}

/// The scale for which (code - zero) * scale fits the weights in least squares.
double fitted_scale(const Sums& sums, double zero) {
  return (sums.products - zero * sums.weights) /
         (sums.code_squares - 2 * zero * sums.codes + zero * zero * sums.count);
}

/// The grid that fits the weights of these sums, as it will be stored. Nothing where they say none:
/// all weights are at zero, or at one code.
std::optional<Grid> fitted_grid(const Sums& sums, const Grid& last, const NumberFormat& format,
                                std::string_view place) {
  int zero = last.zero;
  if (format.zero_points) {
    const double slope = (sums.products - sums.codes * sums.weights / sums.count) /
                         (sums.code_squares - sums.codes * sums.codes / sums.count);
    const double exact = (sums.codes - sums.weights / slope) / sums.count;
    if (!std::isfinite(exact)) return std::nullopt;
    zero = static_cast<int>(std::clamp(std::nearbyint(exact), 0.0, double(last.high)));
  }
  const auto scale = static_cast<float>(fitted_scale(sums, zero));
  if (!std::isfinite(scale) || scale <= 0) return std::nullopt;
  return min_max_grid(
      {static_cast<float>(last.low - zero) * scale, static_cast<float>(last.high - zero) * scale},
      format, place);
}

Grid half_quadratic_grid(ConstMatrix block, const NumberFormat& format, std::string_view place) {
  Grid best = min_max_grid(block_extremes(block), format, place);
  const float step = best.scale;
  float beta = kFirstBeta;
  Sums sums = block_sums(block, best, step, beta);
  for (int i = 0; i < kIterations; ++i) {
    const std::optional<Grid> grid = fitted_grid(sums, best, format, place);
    if (!grid) break;
    beta *= kBetaGrowth;
    const Sums next = block_sums(block, *grid, step, beta);
    if (!(next.objective < sums.objective)) break;
    best = *grid;
    sums = next;
  }
  return best;
}

}  // namespace

QuantMatrix hqq(ConstMatrix weights, const Scheme& scheme) {
  return quantize_integers(weights, scheme, half_quadratic_grid);
}

}  // namespace qassay
