#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/kernel.hpp"
#include "kernels/layer_kind.hpp"
#include "kernels/own/args.h"
#include "kernels/own/blocking.hpp"
#include "kernels/own/packed_weights.hpp"

namespace qassay::own {

/// What a kernel reads of x: words of 4 bytes.
/// bf16x2: two BF16 numbers whose sum is x, apart.
enum class Input { f32, bf16, bf16x2, a8, a16 };
constexpr bool is_codes(Input input) { return input == Input::a8 || input == Input::a16; }
/// Rows of words that a row of x becomes: 16-bit codes are two of bytes.
constexpr std::int64_t parts_of(Input input) { return input == Input::a16 ? 2 : 1; }
constexpr std::int64_t k_per_word(Input input) {
  return input == Input::f32 || input == Input::bf16x2 ? 1 : input == Input::bf16 ? 2 : 4;
}

/// A second tile for the same packed weights, of more rows, which calls with many of them use.
struct WideTile {
  std::optional<Input> input;  // where it reads x in another way than the tile for few rows
  std::int64_t from;           // rows of words that a call has at least
  std::int64_t rows;           // of the tile at most
  std::int64_t together;       // words of a row side by side; its end is filled up with zeros
  std::int64_t group_words;    // groups are a multiple of so many, or the tile is not used
  LinearFunction function;
  const RowFunctions* fill;
};

/// How rows of x lie for a call (args.h).
struct RowTiles {
  std::int64_t rows;      // of a tile at most
  std::int64_t together;  // words
  std::int64_t steps;     // words of a row in memory
  const RowFunctions* fill;
};

/// A row of the table: everything that tells one of our kernels from another.
struct Recipe {
  KernelInfo info;
  Scheme scheme;  // for groups with one size in place of all
  LineFormat format;
  Input input;
  LinearFunction function;
  const RowFunctions* rows;
  const WideTile* wide = nullptr;

  /// Precondition: there is a wide tile.
  Input wide_input() const { return wide->input.value_or(input); }
  bool groups() const { return scheme.weights.per == Granularity::block; }
};

/// Sizes of groups are multiples of this, so that no line and no vector of x holds parts of two.
inline constexpr std::int64_t kGroupUnit = 16;

/// Why a kernel by this recipe does not take the problem, if so.
std::optional<Refusal> refuses(const Recipe& recipe, LayerKind kind, const Problem& problem);

/// The parts of a piece of memory, one after another, each on a line of the cache.
class Parts {
 public:
  /// Returns where a part of `bytes` begins.
  std::size_t take(std::int64_t bytes) {
    const std::size_t begin = end_;
    end_ += static_cast<std::size_t>(divide_up(bytes, kLine) * kLine);
    return begin;
  }
  std::size_t bytes() const { return end_; }

 private:
  std::size_t end_ = 0;
};

/// y[rows, n] = x[rows, k] * W[n,k]^T + bias[n] on packed weights, up to rows_max rows at a time:
/// how long its words are, what memory it needs, and the call.
class Product {
 public:
  Product(const Recipe& recipe, PackedWeights weights, std::int64_t rows_max);
  /// Packs the problem's weights; `bias` as the layer's (or empty).
  Product(const Recipe& recipe, const Problem& problem, const QuantMatrix& weights,
          std::span<const float> bias, std::int64_t rows_max, int threads);
  Product copy() const { return {recipe_, weights_.copy(), rows_max_}; }

  const Recipe& recipe() const { return recipe_; }
  const PackedWeights& weights() const { return weights_; }
  std::int64_t rows_max() const { return rows_max_; }
  /// How a call with so many rows of x reads them.
  Input input(std::int64_t rows) const { return wide(rows) ? recipe_.wide_input() : recipe_.input; }
  std::int64_t steps(std::int64_t rows) const;  // words of a row
  /// For a call with so many rows of x.
  RowTiles row_tiles(std::int64_t rows) const;
  /// Calls of up to `rows` rows of x that between them need the most of everything: the largest,
  /// and where that uses the wide tile the largest that does not.
  std::vector<std::int64_t> largest_calls(std::int64_t rows) const;
  std::int64_t groups() const { return weights_.layout().groups(); }
  /// What makes a correction of the sum of a row's codes (args.h).
  int zero() const;
  Traffic::Unit unit(std::int64_t rows) const;
  std::string implementation() const;

  /// Bytes that each calling thread needs for itself.
  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// The call for all blocks of channels and `rows` rows of x; left to be set: x, row_scales and
  /// corrections, y.
  LinearArgs args(std::int64_t rows, std::byte* scratch) const;
  void run(const LinearArgs& args) const {
    (args.tile_rows > kTileRows ? recipe_.wide->function : recipe_.function)(args);
  }

 private:
  /// Whether the lines that the tile reads are made from the packed ones.
  bool decoded(std::int64_t rows) const {
    return recipe_.groups() || weights_.layout().k_per_line() != k_per_word(input(rows));
  }
  Blocking blocking(std::int64_t rows) const;
  /// Whether a call with so many rows of x takes the wide tile.
  bool wide(std::int64_t rows) const;
  void plan_scratch();

  Recipe recipe_;
  PackedWeights weights_;
  std::int64_t rows_max_;
  // Where the parts of a thread's memory begin; the first is the panel.
  std::size_t panel_scales_ = 0;
  std::size_t panel_zeros_ = 0;
  std::size_t partial_ = 0;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace qassay::own
