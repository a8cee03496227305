#include "quantizers/awq_clip.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "quantizers/input_metric.hpp"
#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr int kWidestClip = 20, kNarrowestClip = 11;  // twentieths of the range

/// The weights of some columns that have grids of their own.
class ColumnGroup {
 public:
  /// weights[n,g], inputs[m,g].
  ColumnGroup(ConstMatrix weights, ConstMatrix inputs, const NumberFormat& format)
      : weights_(weights),
        metric_(inputs),
        format_(format),
        grids_(static_cast<std::size_t>(weights.rows)),
        least_(grids_.size()) {
    const bool whole = format.per == Granularity::tensor;
    if (whole) ranges_.assign(grids_.size(), block_extremes(weights));
    if (!whole) {
      ranges_.resize(grids_.size());
      for_each_row(weights.rows, [&](std::int64_t row) {
        ranges_[static_cast<std::size_t>(row)] = extremes(weights.row(row), weights.cols);
      });
    }
  }

  /// The best grid of each row.
  const std::vector<Grid>& search() {
    for (int clip = kWidestClip; clip >= kNarrowestClip; --clip) {
      const std::vector<Grid> grids = clipped(static_cast<float>(clip) / kWidestClip);
      std::vector<double> errors = output_errors(grids);
      if (format_.per == Granularity::tensor) {
        const double sum = std::accumulate(errors.begin(), errors.end(), 0.0);
        errors.assign(errors.size(), sum);
      }
      for (std::size_t row = 0; row < grids.size(); ++row) {
        if (clip < kWidestClip && !(errors[row] < least_[row])) continue;
        grids_[row] = grids[row];
        least_[row] = errors[row];
      }
    }
    return grids_;
  }

 private:
  std::vector<Grid> clipped(float share) const {
    std::vector<Grid> grids(grids_.size());
    for_each_row(weights_.rows, [&](std::int64_t row) {
      const auto [min, max] = ranges_[static_cast<std::size_t>(row)];
      grids[static_cast<std::size_t>(row)] =
          min_max_grid({min * share, max * share}, format_, fmt::format("weights, row {}", row));
    });
    return grids;
  }

  std::vector<double> output_errors(const std::vector<Grid>& grids) const {
    const std::int64_t g = weights_.cols;
    std::vector<float> differences(static_cast<std::size_t>(weights_.rows * g));
    for_each_row(weights_.rows, [&](std::int64_t row) {
      const Grid& grid = grids[static_cast<std::size_t>(row)];
      std::vector<std::uint8_t> codes(static_cast<std::size_t>(g));
      quantize_block(weights_.row(row), g, grid, codes.data());
      float* out = differences.data() + row * g;
      for (std::int64_t j = 0; j < g; ++j) {
        const auto steps = static_cast<float>(codes[static_cast<std::size_t>(j)] - grid.zero);
        out[j] = weights_.row(row)[j] - steps * grid.scale;
      }
    });
    return metric_.row_energies({differences.data(), weights_.rows, g});
  }

  ConstMatrix weights_;
  InputMetric metric_;
  const NumberFormat& format_;
  std::vector<Extremes> ranges_;
  std::vector<Grid> grids_;
  std::vector<double> least_;
};

}  // namespace

QuantMatrix quantize_awq_clipped(ConstMatrix weights, ConstMatrix inputs, const Scheme& scheme) {
  if (inputs.rows == 0) {
    throw InputError("calibration", "no rows for AWQ", "give at least one calibration sample");
  }
  QuantMatrix out = integer_matrix(weights.rows, weights.cols, scheme);
  for_each_row(out.n, [&](std::int64_t row) { check_finite(weights.row(row), out.k, row); });
  const std::int64_t block = block_size(scheme.weights, out.k);
  for (std::int64_t begin = 0; begin < out.k; begin += block) {
    const std::int64_t size = std::min(block, out.k - begin);
    ColumnGroup group({weights.data + begin, out.n, size, weights.stride},
                      {inputs.data + begin, inputs.rows, size, inputs.stride}, scheme.weights);
    const std::vector<Grid>& grids = group.search();
    for_each_row(out.n, [&](std::int64_t row) {
      const Grid& grid = grids[static_cast<std::size_t>(row)];
      quantize_block(weights.row(row) + begin, size, grid, out.codes.data() + row * out.k + begin);
      if (row == 0 || scheme.weights.per != Granularity::tensor) {
        store_grid(grid, out.scale_index(row, begin), out);
      }
    });
  }
  return out;
}

}  // namespace qassay
