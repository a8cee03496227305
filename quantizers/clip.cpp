#include "quantizers/clip.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr int kWidest = 100, kNarrowest = 20;  // hundredths of the range

/// The sum of squared errors of a row. Eight sums at once do not wait for one another.
double squared_error(const float* x, std::int64_t size, const Grid& grid,
                     std::vector<std::uint8_t>& codes) {
  constexpr std::int64_t kSums = 8;
  codes.resize(static_cast<std::size_t>(size));
  quantize_block(x, size, grid, codes.data());
  std::array<double, kSums> sums{};
  const auto add = [&](std::int64_t i, std::int64_t sum) {
    const float value =
        static_cast<float>(codes[static_cast<std::size_t>(i)] - grid.zero) * grid.scale;
    const double error = x[i] - value;
    sums[static_cast<std::size_t>(sum)] += error * error;
  };
  std::int64_t i = 0;
  for (; i + kSums <= size; i += kSums) {
    for (std::int64_t j = 0; j < kSums; ++j) add(i + j, j);
  }
  for (; i < size; ++i) add(i, 0);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double squared_error(ConstMatrix block, const Grid& grid) {
  std::vector<double> rows(static_cast<std::size_t>(block.rows));
  for_each_row(block.rows, [&](std::int64_t row) {
    thread_local std::vector<std::uint8_t> codes;
    rows[static_cast<std::size_t>(row)] = squared_error(block.row(row), block.cols, grid, codes);
  });
  double total = 0;
  for (const double row : rows) total += row;
  return total;
}

Grid clipped_grid(ConstMatrix block, const NumberFormat& format, std::string_view place) {
  const Extremes range = block_extremes(block);
  Grid best;
  double least = 0;
  for (int hundredths = kWidest; hundredths >= kNarrowest; --hundredths) {
    const float share = static_cast<float>(hundredths) / kWidest;
    const Grid grid = min_max_grid({range.min * share, range.max * share}, format, place);
    const double error = squared_error(block, grid);
    if (hundredths < kWidest && !(error < least)) continue;
    best = grid;
    least = error;
  }
  return best;
}

}  // namespace

QuantMatrix quantize_clipped(ConstMatrix weights, const Scheme& scheme) {
  return quantize_integers(weights, scheme, clipped_grid);
}

}  // namespace qassay
