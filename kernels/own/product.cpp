#include "kernels/own/product.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "core/amx.hpp"
#include "kernels/longest_sum.hpp"
#include "kernels/own/stored_codes.hpp"

namespace qassay::own {
namespace {

std::string weights_text(const NumberFormat& weights) {
  if (weights.kind == Kind::integer) return weights.bits == 4 ? "2- to 4-bit" : "5- to 8-bit";
  return to_string(Scheme{.weights = weights, .input = {}});
}

std::string_view scales_text(const Recipe& recipe) {
  return recipe.groups() ? "in groups of a multiple of 16" : "per output channel";
}
static_assert(kGroupUnit == 16);

constexpr std::int64_t kShortestA16Group = 64;

/// Whether the wide tile, if there is one, takes groups of that size (0: none).
bool fits_group(const Recipe& recipe, std::int64_t group) {
  return recipe.wide != nullptr &&
         group / k_per_word(recipe.wide_input()) % recipe.wide->group_words == 0;
}

/// The problem's scheme with the recipe's size of groups and the bits that codes are stored in.
Scheme as_stored(const Recipe& recipe, Scheme scheme) {
  if (scheme.weights.kind == Kind::integer) scheme.weights.bits = stored_bits(scheme.weights.bits);
  for (NumberFormat* format : {&scheme.weights, &scheme.input.number}) {
    if (format->per == Granularity::block) format->block = recipe.scheme.weights.block;
  }
  return scheme;
}

/// `bias`: whether there is one in the packed blocks.
PackedLayout layout_of(const Recipe& recipe, const Problem& problem, bool bias) {
  const NumberFormat& weights = problem.scheme.weights;
  const bool integer = weights.kind == Kind::integer;
  return {.format = recipe.format,
          .n = problem.n,
          .k = problem.k,
          .group = integer && weights.per == Granularity::block ? weights.block : 0,
          .bias = bias,
          .channel_scales = integer && weights.per == Granularity::row,
          .zero_points = weights.zero_points};
}

PackedWeights pack(const Recipe& recipe, const Problem& problem, const QuantMatrix& weights,
                   std::span<const float> bias, int threads) {
  const PackedLayout layout = layout_of(recipe, problem, !bias.empty());
  const int bits = recipe.scheme.weights.bits;
  if (weights.scheme.weights.bits == bits) return {layout, weights, bias, threads};
  return {layout, widened(weights, bits), bias, threads};
}

}  // namespace

std::optional<Refusal> refuses(const Recipe& recipe, LayerKind kind, const Problem& problem) {
  const NumberFormat& mine = recipe.scheme.weights;
  const NumberFormat& weights = problem.scheme.weights;
  const bool integer = weights.kind == Kind::integer;
  if (weights.kind != mine.kind || (integer && stored_bits(weights.bits) != mine.bits))
    return Refusal{fmt::format("takes {} weights only", weights_text(mine))};
  if (problem.scheme.quantizes_input() != recipe.scheme.quantizes_input()) {
    return Refusal{recipe.scheme.quantizes_input() ? "takes int8 activations only"
                                                   : "takes floating activations only"};
  }
  if (auto refusal = refuses_kind(kind, problem)) return refusal;
  if (problem.scheme.blocks_input() != recipe.scheme.blocks_input()) {
    return Refusal{recipe.scheme.blocks_input() ? "takes activations in blocks only"
                                                : "takes activations without blocks only"};
  }
  if (weights.zero_points != mine.zero_points) {
    return Refusal{mine.zero_points ? "takes asymmetric weights only"
                                    : "takes symmetric weights only"};
  }
  if (weights.per != mine.per || weights.block % kGroupUnit != 0)
    return Refusal{fmt::format("takes scales {} only", scales_text(recipe))};
  // Each group scales two sums, of few products: of 32, 64 rows took longer than in FP32, but for
  // AMX; as many as one pass over the weights computes took half as long.
  if (recipe.input == Input::a16 && weights.block < kShortestA16Group &&
      !fits_group(recipe, weights.block) && problem.m_max * parts_of(Input::a16) > kTileRows)
    return Refusal{fmt::format("takes groups of {} or more only", kShortestA16Group)};
  if (as_stored(recipe, problem.scheme) != recipe.scheme)
    return Refusal{fmt::format("takes {} only", to_string(recipe.scheme))};
  if (is_codes(recipe.input) && sum_length(weights, problem.k) > kLongestSum)
    return Refusal{"k is so long that an int32 sum can overflow"};
  // Made for its wide tile: fewer rows have kernels of their own.
  if (recipe.wide != nullptr && recipe.wide->input) {
    const std::int64_t least = divide_up(recipe.wide->from, parts_of(recipe.input));
    if (problem.m_max < least) return Refusal{fmt::format("takes {} rows or more only", least)};
    if (!fits_group(recipe, weights.block)) {
      const std::int64_t unit = recipe.wide->group_words * k_per_word(recipe.wide_input());
      return Refusal{fmt::format("takes groups of a multiple of {} only", unit)};
    }
  }
  return std::nullopt;
}

Product::Product(const Recipe& recipe, PackedWeights weights, std::int64_t rows_max)
    : recipe_(recipe), weights_(std::move(weights)), rows_max_(rows_max) {
  // Whoever asked what this machine runs has asked the system for its tiles; a process that did not
  // would end at the first of them.
  if (recipe.info.isa == Isa::amx && !usable_amx().int8)
    throw InputError(std::string(recipe.info.name), "the system lets no process use AMX",
                     "choose a kernel without");
  plan_scratch();
}

void Product::plan_scratch() {
  // A call with few rows has smaller chunks, but not more of anything.
  const std::int64_t group = weights_.layout().group;
  std::int64_t panel_lines = 0;
  std::int64_t scales = 0;
  std::int64_t sums = 0;
  for (const std::int64_t rows : largest_calls(rows_max_)) {
    const Blocking walk = blocking(rows);
    const RowTiles tiles = row_tiles(rows);
    const std::int64_t together = std::max(tiles.together, std::int64_t{1});
    const std::int64_t lines = divide_up(walk.chunk_steps, together) * together;
    if (decoded(rows) && rows * parts_of(input(rows)) > 1)
      panel_lines = std::max(panel_lines, kPanelBlocks * spread_lines(lines));
    else if (wide(rows))
      panel_lines = std::max(panel_lines, kPanelBlocks * together);  // the end of k
    if (group != 0 && (is_codes(input(rows)) || wide(rows))) {
      const std::int64_t chunk = walk.chunk_steps * k_per_word(input(rows));
      scales = std::max(scales, divide_up(chunk, group) * kPanel);
    }
    sums = std::max(sums, walk.tiles_at_once * tiles.rows * kPanel);
  }
  constexpr std::int64_t kWordBytes = sizeof(Word);
  Parts parts;
  parts.take(panel_lines * kLine);
  panel_scales_ = parts.take(scales * kWordBytes);
  panel_zeros_ = parts.take(weights_.layout().zero_points ? scales * kWordBytes : 0);
  partial_ = parts.take(sums * kWordBytes);
  scratch_bytes_ = parts.bytes();
}

Product::Product(const Recipe& recipe, const Problem& problem, const QuantMatrix& weights,
                 std::span<const float> bias, std::int64_t rows_max, int threads)
    : Product(recipe, pack(recipe, problem, weights, bias, threads), rows_max) {}

int Product::zero() const {
  if (weights_.layout().zero_points) return 1;
  switch (recipe_.format) {
    case LineFormat::u8:
      return kZeroU8;
    case LineFormat::u4:
    case LineFormat::u4x8:
      return kZeroU4;
    default:
      return 0;
  }
}

Traffic::Unit Product::unit(std::int64_t rows) const {
  switch (input(rows)) {
    case Input::f32:
      return Traffic::Unit::f32;
    case Input::bf16:
    case Input::bf16x2:
      return Traffic::Unit::bf16;
    case Input::a8:
      return Traffic::Unit::int8;
    case Input::a16:
      return Traffic::Unit::int16;
  }
  return Traffic::Unit::f32;
}

std::int64_t Product::steps(std::int64_t rows) const {
  return weights_.layout().padded_k() / k_per_word(input(rows));
}

bool Product::wide(std::int64_t rows) const {
  return fits_group(recipe_, weights_.layout().group) &&
         rows * parts_of(recipe_.input) >= recipe_.wide->from;
}

RowTiles Product::row_tiles(std::int64_t rows) const {
  if (!wide(rows))
    return {kTileRows, weights_.layout().words_together(), steps(rows), recipe_.rows};
  const std::int64_t together = recipe_.wide->together;
  return {recipe_.wide->rows, together, divide_up(steps(rows), together) * together,
          recipe_.wide->fill};
}

std::vector<std::int64_t> Product::largest_calls(std::int64_t rows) const {
  if (!wide(rows)) return {rows};
  return {rows, (recipe_.wide->from - 1) / parts_of(recipe_.input)};
}

std::string Product::implementation() const {
  std::string tiles = fmt::format("tiles of {} for more", kTileRows);
  if (wide(rows_max_))
    tiles = fmt::format("tiles of {} from {} on", recipe_.wide->rows, recipe_.wide->from);
  return fmt::format("{}: one pass for few rows, {}", to_string(recipe_.info.isa), tiles);
}

Blocking Product::blocking(std::int64_t rows) const {
  const PackedLayout& layout = weights_.layout();
  const std::int64_t unit =
      (layout.group == 0 ? layout.k_unit() : layout.group) / k_per_word(input(rows));
  const std::int64_t words = rows * parts_of(input(rows));
  if (wide(rows))
    return choose_wide_blocking(cache_sizes(), steps(rows), std::lcm(unit, recipe_.wide->together),
                                words, recipe_.wide->rows);
  return choose_blocking(cache_sizes(), steps(rows), unit, words, decoded(rows));
}

LinearArgs Product::args(std::int64_t rows, std::byte* scratch) const {
  const PackedLayout& layout = weights_.layout();
  const Blocking walk = blocking(rows);
  LinearArgs args{};
  args.weights = reinterpret_cast<const unsigned char*>(weights_.data());
  args.block_bytes = layout.block_bytes();
  args.begin_block = 0;
  args.end_block = layout.blocks();
  args.n = layout.n;
  args.k = layout.padded_k();
  args.group = layout.group;
  args.has_bias = layout.bias;
  args.has_channel_scales = layout.channel_scales;
  args.zero_lines = layout.zero_lines();
  args.parts = parts_of(input(rows));
  args.m = rows * args.parts;
  args.tile_rows = row_tiles(rows).rows;
  args.chunk_steps = walk.chunk_steps;
  args.tiles_at_once = walk.tiles_at_once;
  args.panel = reinterpret_cast<unsigned char*>(scratch);
  args.panel_scales = reinterpret_cast<float*>(scratch + panel_scales_);
  args.panel_zeros = reinterpret_cast<std::int32_t*>(scratch + panel_zeros_);
  args.partial = reinterpret_cast<float*>(scratch + partial_);
  return args;
}

}  // namespace qassay::own
