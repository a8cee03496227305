#include "quantizers/gptq.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "core/grid.hpp"
#include "models/linear_algebra.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "quantizers/row_loop.hpp"
#include "quantizers/weight_grid.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kTileRows = 128;  // rows that one thread takes through all columns
constexpr std::int64_t kStripRows = 16;  // rows that take turns, for one waits on itself

/// Whether the grids of blocks are fitted on the way, to weights that were already compensated.
bool has_moving_grids(const NumberFormat& format, const GptqPlan& plan) {
  return format.per == Granularity::block && !plan.options.act_order;
}

/// The weights with those of dead inputs set to zero.
std::vector<float> live_weights(ConstMatrix weights, const GptqPlan& plan) {
  std::vector<float> live(static_cast<std::size_t>(weights.rows * weights.cols));
  for_each_row(weights.rows, [&](std::int64_t row) {
    check_finite(weights.row(row), weights.cols, row);
    float* out = live.data() + row * weights.cols;
    std::copy_n(weights.row(row), weights.cols, out);
    for (const std::int64_t i : plan.dead) out[i] = 0;
  });
  return live;
}

/// Where the block of columns that begins here ends: after options.block columns, but never inside
/// a group that began in it, for the group's grid is to see all of its columns compensated.
std::int64_t block_end(std::int64_t begin, std::int64_t k, const GptqPlan& plan,
                       const NumberFormat& format) {
  const std::int64_t end = std::min(begin + plan.options.block, k);
  if (!has_moving_grids(format, plan) || end == k) return end;
  const std::int64_t group = end - end % format.block;  // the last one to begin up to here
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
        rows_(std::min(kTileRows, out.n - first)),
        k_(out.k),
        current_(static_cast<std::size_t>(rows_ * k_)),
        errors_(static_cast<std::size_t>(rows_ * plan.options.block)) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t j = 0; j < k_; ++j) weights(row)[j] = live.row(first_ + row)[column(j)];
    }
  }

  void run() {
    for (std::int64_t begin = 0; begin < k_;) {
      const std::int64_t end = block_end(begin, k_, plan_, format_);
      for (std::int64_t row = 0; row < rows_; row += kStripRows) {
        round_strip(row, std::min(row + kStripRows, rows_), begin, end);
      }
      if (end < k_) {
        subtract_product({errors_.data(), rows_, end - begin, plan_.options.block},
                         {factor(begin) + end, end - begin, k_ - end, k_},
                         {weights(0) + end, rows_, k_ - end, k_});
      }
      begin = end;
    }
  }

 private:
  float* weights(std::int64_t row) { return current_.data() + row * k_; }
  float* errors(std::int64_t row) { return errors_.data() + row * plan_.options.block; }
  const float* factor(std::int64_t j) const { return plan_.factor.data() + j * k_; }
  std::int64_t column(std::int64_t j) const { return plan_.order[static_cast<std::size_t>(j)]; }

  /// Rounds the columns [begin, end) of the rows [row, last), each making up for those before it.
  void round_strip(std::int64_t row, std::int64_t last, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      const std::int64_t group = column(j) / group_;
      const float* following = factor(j) + j + 1;
      for (std::int64_t r = row; r < last; ++r) {
        if (moving_ && j % group_ == 0) open_group(r, j);
        const float error = round_weight(r, j, group);
        errors(r)[j - begin] = error;
        float* compensated = weights(r) + j + 1;
        for (std::int64_t l = 0; l < end - j - 1; ++l) compensated[l] -= error * following[l];
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
  std::vector<float> current_;  // [rows, k], columns in the plan's order
  std::vector<float> errors_;   // [rows, block], of the block in hand
};

}  // namespace

QuantMatrix gptq(ConstMatrix weights, const GptqPlan& plan, const Scheme& scheme) {
  if (weights.cols != plan.inputs()) throw std::invalid_argument("a plan of another width");
  QuantMatrix out = integer_matrix(weights.rows, weights.cols, scheme);
  const std::vector<float> storage = live_weights(weights, plan);
  const ConstMatrix live(storage.data(), out.n, out.k);
  const bool moving = has_moving_grids(scheme.weights, plan);
  // Grids that stay are those of the weights as they are; so is all of it if nothing better can be.
  if (plan.fell_back || !moving) out = round_to_nearest(live, scheme);
  if (plan.fell_back) return out;
  for_each_row((out.n + kTileRows - 1) / kTileRows,
               [&](std::int64_t tile) { RowTile(live, tile * kTileRows, plan, out).run(); });
  return out;
}

}  // namespace qassay
