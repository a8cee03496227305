#include "quantizers/gptq.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/grid.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kTiles = 8, kMostTileRows = 256;
constexpr std::int64_t kSpan = 32;       // columns between two products inside a block
constexpr std::int64_t kStripRows = 16;  // rows that take turns, for one waits on itself

/// Rows that one thread takes through all columns: many, for each tile reads the whole factor, but
/// not so many that few tiles are left for the threads.
std::int64_t tile_rows(std::int64_t n) {
  const std::int64_t strips = (n + kTiles * kStripRows - 1) / (kTiles * kStripRows);
  return std::min(strips * kStripRows, kMostTileRows);
}

/// Whether the grids of blocks are fitted on the way, to weights that were already compensated.
bool has_moving_grids(const NumberFormat& format, const GptqPlan& plan) {
  return format.per == Granularity::block && !plan.options.act_order;
}

/// The weights with those of dead inputs set to zero; nothing where there are none.
std::vector<float> without_dead(ConstMatrix weights, const GptqPlan& plan) {
  if (plan.dead.empty()) return {};
  std::vector<float> live(static_cast<std::size_t>(weights.rows * weights.cols));
  for_each_row(weights.rows, [&](std::int64_t row) {
    float* out = live.data() + row * weights.cols;
    std::copy_n(weights.row(row), weights.cols, out);
    for (const std::int64_t i : plan.dead) out[i] = 0;
  });
  return live;
}

/// Where the columns end that begin here and are taken at once: `width` of them, but never inside a
/// group that began among them, for the group's grid is to see all of its columns compensated.
std::int64_t span_end(std::int64_t begin, std::int64_t width, std::int64_t limit,
                      std::int64_t moving_group) {
  const std::int64_t end = std::min(begin + width, limit);
  if (moving_group == 0 || end == limit) return end;
  const std::int64_t group = end - end % moving_group;  // the last one to begin up to here
  return group > begin ? group : end;
}

/// Takes some rows of a layer through all columns.
class RowTile {
 public:
  /// `live[n,k]`: the weights; rows [first, first + rows) of it.
  RowTile(ConstMatrix live, std::int64_t first, const GptqPlan& plan, QuantMatrix& out)
      : plan_(plan),
        out_(out),
        format_(out.scheme.weights),
        group_(block_size(format_, out.k)),
        moving_(has_moving_grids(format_, plan)),
        first_(first),
        rows_(std::min(tile_rows(out.n), out.n - first)),
        k_(out.k),
        current_(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(rows_ * k_))),
        errors_(static_cast<std::size_t>(rows_ * plan.options.block)) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t j = 0; j < k_; ++j) weights(row)[j] = live.row(first_ + row)[column(j)];
    }
  }

  void run() {
    for (std::int64_t begin = 0; begin < k_;) {
      const std::int64_t end = span_end(begin, plan_.options.block, k_, moving_ ? group_ : 0);
      round_block(begin, end);
      compensate(begin, begin, end, k_);
      begin = end;
    }
  }

 private:
  float* weights(std::int64_t row) { return current_.get() + row * k_; }
  float* errors(std::int64_t row) { return errors_.data() + row * plan_.options.block; }
  const float* factor(std::int64_t j) const { return plan_.factor_matrix().row(j); }
  std::int64_t column(std::int64_t j) const { return plan_.order[static_cast<std::size_t>(j)]; }

  /// Rounds the columns [begin, end), by narrower spans for speed's sake.
  void round_block(std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end;) {
      const std::int64_t last = span_end(first, kSpan, end, moving_ ? group_ : 0);
      for (std::int64_t row = 0; row < rows_; row += kStripRows) {
        round_strip(row, std::min(row + kStripRows, rows_), begin, first, last);
      }
      compensate(begin, first, last, end);
      first = last;
    }
  }

  /// Makes up for the errors of the columns [first, last), of a block that begins at `begin`, in
  /// the columns [last, end).
  void compensate(std::int64_t begin, std::int64_t first, std::int64_t last, std::int64_t end) {
    if (last == end) return;
    const std::int64_t columns = last - first;
    subtract_product({errors(0) + (first - begin), rows_, columns, plan_.options.block},
                     {factor(first) + last, columns, end - last, k_},
                     {weights(0) + last, rows_, end - last, k_});
  }

  /// Rounds the columns [first, last) of the rows [row, end), each making up for those before it.
  void round_strip(std::int64_t row, std::int64_t end, std::int64_t begin, std::int64_t first,
                   std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      const std::int64_t group = column(j) / group_;
      const float* following = factor(j) + j + 1;
      for (std::int64_t r = row; r < end; ++r) {
        if (moving_ && j % group_ == 0) open_group(r, j);
        const float error = round_weight(r, j, group);
        errors(r)[j - begin] = error;
        float* compensated = weights(r) + j + 1;
        for (std::int64_t l = 0; l < last - j - 1; ++l) compensated[l] -= error * following[l];
      }
    }
  }

  void open_group(std::int64_t row, std::int64_t j) {
    const Grid grid = min_max_grid(extremes(weights(row) + j, std::min(group_, k_ - j)), format_,
                                   fmt::format("weights, row {}", first_ + row));
    store_grid(grid, out_.scale_index(first_ + row, j), out_);
  }

  /// Stores the code and returns what the weight has more than its value.
  float round_weight(std::int64_t row, std::int64_t j, std::int64_t group) {
    const std::int64_t at = first_ + row;
    const std::int64_t index =
        format_.per == Granularity::tensor ? 0 : at * blocks_per_row(format_, k_) + group;
    const Grid grid = stored_grid(out_, static_cast<std::size_t>(index));
    const float weight = weights(row)[j];
    const int code = grid.code(weight);
    out_.codes[static_cast<std::size_t>(at * k_ + column(j))] = static_cast<std::uint8_t>(code);
    return weight - grid.value(code);
  }

  const GptqPlan& plan_;
  QuantMatrix& out_;
  const NumberFormat& format_;
  std::int64_t group_;
  bool moving_;
  std::int64_t first_, rows_, k_;
  std::unique_ptr<float[]> current_;  // [rows, k], columns in the plan's order
  std::vector<float> errors_;         // [rows, block], of the block in hand
};

}  // namespace

QuantMatrix gptq(ConstMatrix weights, const GptqPlan& plan, const Scheme& scheme) {
  if (weights.cols != plan.inputs()) throw std::invalid_argument("a plan of another width");
  QuantMatrix out = integer_matrix(weights.rows, weights.cols, scheme);
  for_each_row(out.n, [&](std::int64_t row) { check_finite(weights.row(row), out.k, row); });
  const std::vector<float> storage = without_dead(weights, plan);
  const ConstMatrix live = storage.empty() ? weights : ConstMatrix(storage.data(), out.n, out.k);
  const bool moving = has_moving_grids(scheme.weights, plan);
  // Grids that stay are those of the weights as they are; so is all of it if nothing better can be.
  if (plan.fell_back || !moving) out = round_to_nearest(live, scheme);
  if (plan.fell_back) return out;
  const std::int64_t rows = tile_rows(out.n);
  for_each_row((out.n + rows - 1) / rows,
               [&](std::int64_t tile) { RowTile(live, tile * rows, plan, out).run(); });
  return out;
}

}  // namespace qassay
