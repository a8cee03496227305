#pragma once

// The recipes that the instruction sets of this folder share, with `suffix` (tile and set) behind
// their names: ROW(Class, name, scheme, format, input, function, RowFunctions) makes a row of each.

#include <span>

#include "kernels/own/product.hpp"
#include "kernels/x86/functions.h"

namespace qassay::own {

inline constexpr RowFunctions kRowsAvx512{.largest_magnitude = avx512::largest_magnitude,
                                          .interleave_words = avx512::interleave_words,
                                          .interleave_codes = avx512::interleave_codes,
                                          .quantize = avx512::quantize_row_a8,
                                          .quantize_blocks = avx512::quantize_row_a8_blocked,
                                          .quantize_halves = avx512::quantize_row_a16};
inline constexpr RowFunctions kRowsAvx512Bf16{.convert = avx512bf16::convert_row_bf16};
// Rows for the tiles of AMX, and the tiles.
inline constexpr RowFunctions kRowsAmx{.largest_magnitude = avx512::largest_magnitude,
                                       .quantize = avx512::quantize_row_a8_together,
                                       .quantize_blocks = avx512::quantize_row_a8_blocked_together,
                                       .quantize_halves = avx512::quantize_row_a16_together,
                                       .convert = avx512bf16::convert_row_bf16_together};
constexpr WideTile amx_tile(LinearFunction function, std::int64_t from,
                            std::optional<Input> input = std::nullopt) {
  return {.input = input,
          .from = from,
          .rows = 16,
          .together = 16,
          .group_words = 8,
          .function = function,
          .fill = &kRowsAmx};
}
inline constexpr RowFunctions kRowsAmxBf16x2{.convert = avx512bf16::convert_row_bf16x2_together};
constexpr WideTile amx_tile_of_parts(LinearFunction function, std::int64_t from) {
  WideTile tile = amx_tile(function, from, Input::bf16x2);
  tile.together = 32;
  tile.fill = &kRowsAmxBf16x2;
  return tile;
}
struct TilePair {
  LinearFunction few;
  WideTile many;
};
inline const WideTile* beside(LinearFunction few, std::span<const TilePair> pairs) {
  for (const TilePair& pair : pairs) {
    if (pair.few == few) return &pair.many;
  }
  return nullptr;
}
/// What AMX does beside a function for few rows: what is unpacked first pays from the rows on that
/// the other does not take in one pass.
inline const WideTile* amx_beside(LinearFunction few) {
  static constexpr TilePair kPairs[] = {
      {avx512vnni::linear_a8_u8, amx_tile(amx::linear_a8_u8, 5)},
      {avx512vnni::linear_a8_u8_groups, amx_tile(amx::linear_a8_u8_groups, kTileRows + 1)},
      {avx512vnni::linear_a8_u4, amx_tile(amx::linear_a8_u4, kTileRows + 1)},
      {avx512vnni::linear_a8_u4_groups, amx_tile(amx::linear_a8_u4_groups, kTileRows + 1)},
      {avx512bf16::linear_bf16_bf16, amx_tile(amx::linear_bf16_bf16, 2)}};
  return beside(few, kPairs);
}
/// The same in BF16, once or in two parts, which few rows are not read in.
inline const WideTile* amx_bf16_beside(LinearFunction few) {
  static constexpr TilePair kPairs[] = {
      {avx512::linear_f16, amx_tile_of_parts(amx::linear_f16, kTileRows + 1)},
      {avx512::linear_u8, amx_tile(amx::linear_u8, 3, Input::bf16)},
      {avx512::linear_u4, amx_tile(amx::linear_u4, 2, Input::bf16)},
      {avx512vnni::linear_a8_u8_groups, amx_tile(amx::linear_u8_groups, 16, Input::bf16)},
      {avx512vnni::linear_a8_u4_groups,
       amx_tile(amx::linear_u4_groups, kTileRows + 1, Input::bf16)}};
  return beside(few, kPairs);
}

inline constexpr RowFunctions kRowsAvx2{.largest_magnitude = avx2::largest_magnitude,
                                        .interleave_words = avx2::interleave_words,
                                        .interleave_codes = avx2::interleave_codes,
                                        .quantize = avx2::quantize_row_a8,
                                        .quantize_blocks = avx2::quantize_row_a8_blocked,
                                        .quantize_halves = avx2::quantize_row_a16};

}  // namespace qassay::own

// FP32 activations.
#define QASSAY_X86_FLOATS(ROW, suffix, isa, rows)                                                  \
  ROW(LinearKernel, linear_f32_f32_f32_##suffix, "FP32", f32, f32, isa::linear_f32, rows)          \
  ROW(ConvKernel, conv_f32_f32_f32_##suffix, "FP32", f32, f32, isa::linear_f32, rows)              \
  ROW(LinearKernel, linear_f32_f16_f32_##suffix, "FP16", f16, f32, isa::linear_f16, rows)          \
  ROW(ConvKernel, conv_f32_f16_f32_##suffix, "FP16", f16, f32, isa::linear_f16, rows)              \
  ROW(LinearKernel, linear_f32_bf16_f32_##suffix, "BF16", bf16, f32, isa::linear_bf16, rows)       \
  ROW(ConvKernel, conv_f32_bf16_f32_##suffix, "BF16", bf16, f32, isa::linear_bf16, rows)           \
  ROW(LinearKernel, linear_f32_s8c_f32_##suffix, "W8A16", u8, f32, isa::linear_u8, rows)           \
  ROW(ConvKernel, conv_f32_s8c_f32_##suffix, "W8A16", u8, f32, isa::linear_u8, rows)               \
  ROW(LinearKernel, linear_f32_s8g_f32_##suffix, "W8A16-g32", u8, f32, isa::linear_u8_groups,      \
      rows)                                                                                        \
  ROW(ConvKernel, conv_f32_s8g_f32_##suffix, "W8A16-g32", u8, f32, isa::linear_u8_groups, rows)    \
  ROW(LinearKernel, linear_f32_s4c_f32_##suffix, "W4A16", u4, f32, isa::linear_u4, rows)           \
  ROW(ConvKernel, conv_f32_s4c_f32_##suffix, "W4A16", u4, f32, isa::linear_u4, rows)               \
  ROW(LinearKernel, linear_f32_s4g_f32_##suffix, "W4A16-g32", u4, f32, isa::linear_u4_groups,      \
      rows)                                                                                        \
  ROW(ConvKernel, conv_f32_s4g_f32_##suffix, "W4A16-g32", u4, f32, isa::linear_u4_groups, rows)    \
  ROW(LinearKernel, linear_f32_u8c_f32_##suffix, "W8A16-asym", u8, f32, isa::linear_u8, rows)      \
  ROW(LinearKernel, linear_f32_u8g_f32_##suffix, "W8A16-g32-asym", u8, f32, isa::linear_u8_groups, \
      rows)                                                                                        \
  ROW(LinearKernel, linear_f32_u4c_f32_##suffix, "W4A16-asym", u4, f32, isa::linear_u4, rows)      \
  ROW(LinearKernel, linear_f32_u4g_f32_##suffix, "W4A16-g32-asym", u4, f32, isa::linear_u4_groups, \
      rows)                                                                                        \
  ROW(ConvKernel, conv_f32_u8c_f32_##suffix, "W8A16-asym", u8, f32, isa::linear_u8, rows)          \
  ROW(ConvKernel, conv_f32_u8g_f32_##suffix, "W8A16-g32-asym", u8, f32, isa::linear_u8_groups,     \
      rows)                                                                                        \
  ROW(ConvKernel, conv_f32_u4c_f32_##suffix, "W4A16-asym", u4, f32, isa::linear_u4, rows)          \
  ROW(ConvKernel, conv_f32_u4g_f32_##suffix, "W4A16-g32-asym", u4, f32, isa::linear_u4_groups, rows)

// Activations rounded to BF16 by the tile for many rows; few are read in FP32, or in groups as
// codes of 16 bits, whichever is faster.
#define QASSAY_X86_PAIRS(ROW, suffix, rows)                                                       \
  ROW(LinearKernel, linear_bf16_s8c_f32_##suffix, "W8A16", u8, f32, avx512::linear_u8, rows)      \
  ROW(LinearKernel, linear_bf16_s8g_f32_##suffix, "W8A16-g32", u8, a16,                           \
      avx512vnni::linear_a8_u8_groups, rows)                                                      \
  ROW(LinearKernel, linear_bf16_u8c_f32_##suffix, "W8A16-asym", u8, f32, avx512::linear_u8, rows) \
  ROW(LinearKernel, linear_bf16_u8g_f32_##suffix, "W8A16-g32-asym", u8, a16,                      \
      avx512vnni::linear_a8_u8_groups, rows)                                                      \
  ROW(LinearKernel, linear_bf16_s4c_f32_##suffix, "W4A16", u4, f32, avx512::linear_u4, rows)      \
  ROW(LinearKernel, linear_bf16_s4g_f32_##suffix, "W4A16-g32", u4, a16,                           \
      avx512vnni::linear_a8_u4_groups, rows)                                                      \
  ROW(LinearKernel, linear_bf16_u4c_f32_##suffix, "W4A16-asym", u4, f32, avx512::linear_u4, rows) \
  ROW(LinearKernel, linear_bf16_u4g_f32_##suffix, "W4A16-g32-asym", u4, a16,                      \
      avx512vnni::linear_a8_u4_groups, rows)

// Activations as codes of 16 bits, with a scale for each group of the weights.
#define QASSAY_X86_HALVES(ROW, suffix, isa, rows)                                                 \
  ROW(LinearKernel, linear_a16g_s8g_f32_##suffix, "W8A16-g32", u8, a16, isa::linear_a8_u8_groups, \
      rows)                                                                                       \
  ROW(LinearKernel, linear_a16g_u8g_f32_##suffix, "W8A16-g32-asym", u8, a16,                      \
      isa::linear_a8_u8_groups, rows)                                                             \
  ROW(LinearKernel, linear_a16g_s4g_f32_##suffix, "W4A16-g32", u4, a16, isa::linear_a8_u4_groups, \
      rows)                                                                                       \
  ROW(LinearKernel, linear_a16g_u4g_f32_##suffix, "W4A16-g32-asym", u4, a16,                      \
      isa::linear_a8_u4_groups, rows)

// Int8 activations.
#define QASSAY_X86_INTEGER_LINEARS(ROW, suffix, isa, rows)                                     \
  ROW(LinearKernel, linear_a8r_s8c_f32_##suffix, "W8A8", u8, a8, isa::linear_a8_u8, rows)      \
  ROW(LinearKernel, linear_a8r_s8g_f32_##suffix, "W8A8-g32", u8, a8, isa::linear_a8_u8_groups, \
      rows)                                                                                    \
  ROW(LinearKernel, linear_a8g_s8g_f32_##suffix, "W8A8-g32-blocked", u8, a8,                   \
      isa::linear_a8_u8_groups, rows)                                                          \
  ROW(LinearKernel, linear_a8r_u8c_f32_##suffix, "W8A8-asym", u8, a8, isa::linear_a8_u8, rows) \
  ROW(LinearKernel, linear_a8r_u8g_f32_##suffix, "W8A8-g32-asym", u8, a8,                      \
      isa::linear_a8_u8_groups, rows)                                                          \
  ROW(LinearKernel, linear_a8g_u8g_f32_##suffix, "W8A8-g32-asym-blocked", u8, a8,              \
      isa::linear_a8_u8_groups, rows)                                                          \
  ROW(LinearKernel, linear_a8r_s4c_f32_##suffix, "W4A8", u4, a8, isa::linear_a8_u4, rows)      \
  ROW(LinearKernel, linear_a8r_s4g_f32_##suffix, "W4A8-g32", u4, a8, isa::linear_a8_u4_groups, \
      rows)                                                                                    \
  ROW(LinearKernel, linear_a8g_s4g_f32_##suffix, "W4A8-g32-blocked", u4, a8,                   \
      isa::linear_a8_u4_groups, rows)                                                          \
  ROW(LinearKernel, linear_a8r_u4c_f32_##suffix, "W4A8-asym", u4, a8, isa::linear_a8_u4, rows) \
  ROW(LinearKernel, linear_a8r_u4g_f32_##suffix, "W4A8-g32-asym", u4, a8,                      \
      isa::linear_a8_u4_groups, rows)                                                          \
  ROW(LinearKernel, linear_a8g_u4g_f32_##suffix, "W4A8-g32-asym-blocked", u4, a8,              \
      isa::linear_a8_u4_groups, rows)
#define QASSAY_X86_INTEGER_CONVS(ROW, suffix, isa, rows)                                          \
  ROW(ConvKernel, conv_a8t_s8c_f32_##suffix, "W8A8-static", u8, a8, isa::linear_a8_u8, rows)      \
  ROW(ConvKernel, conv_a8t_s8g_f32_##suffix, "W8A8-g32-static", u8, a8, isa::linear_a8_u8_groups, \
      rows)                                                                                       \
  ROW(ConvKernel, conv_a8t_s4c_f32_##suffix, "W4A8-static", u4, a8, isa::linear_a8_u4, rows)      \
  ROW(ConvKernel, conv_a8t_s4g_f32_##suffix, "W4A8-g32-static", u4, a8, isa::linear_a8_u4_groups, \
      rows)                                                                                       \
  ROW(ConvKernel, conv_a8t_u8c_f32_##suffix, "W8A8-asym-static", u8, a8, isa::linear_a8_u8, rows) \
  ROW(ConvKernel, conv_a8t_u8g_f32_##suffix, "W8A8-g32-asym-static", u8, a8,                      \
      isa::linear_a8_u8_groups, rows)                                                             \
  ROW(ConvKernel, conv_a8t_u4c_f32_##suffix, "W4A8-asym-static", u4, a8, isa::linear_a8_u4, rows) \
  ROW(ConvKernel, conv_a8t_u4g_f32_##suffix, "W4A8-g32-asym-static", u4, a8,                      \
      isa::linear_a8_u4_groups, rows)
#define QASSAY_X86_INTEGERS(ROW, suffix, isa, rows)  \
  QASSAY_X86_INTEGER_LINEARS(ROW, suffix, isa, rows) \
  QASSAY_X86_INTEGER_CONVS(ROW, suffix, isa, rows)
