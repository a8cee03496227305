// The backend "cpu" on 64-bit ARM: the recipes of its rows.

#include "kernels/arm/functions.h"
#include "kernels/kernel_table.hpp"
#include "kernels/own/conv.hpp"
#include "kernels/own/linear.hpp"

namespace qassay {

using namespace own;

namespace {

constexpr RowFunctions kRows{.largest_magnitude = largest_magnitude,
                             .interleave_words = interleave_words,
                             .interleave_codes = interleave_codes,
                             .quantize = quantize_row_a8};
// Two words together, for linear layers.
constexpr RowFunctions kRowsByPairs{.largest_magnitude = largest_magnitude,
                                    .quantize = quantize_row_a8_pairs};

}  // namespace

#define QASSAY_ARM_ROW(Class, name, scheme, format, input, ...)                              \
  const Kernel& name() {                                                                     \
    static const Class kernel({kernel_info(#name), parse_scheme(scheme), LineFormat::format, \
                               Input::input, __VA_ARGS__});                                  \
    return kernel;                                                                           \
  }
#define QASSAY_ARM_FLOAT(name, scheme, format, function)                                     \
  QASSAY_ARM_ROW(LinearKernel, linear_##name##_f32_6x16_neon, scheme, format, f32, function, \
                 &kRows)                                                                     \
  QASSAY_ARM_ROW(ConvKernel, conv_##name##_f32_6x16_neon, scheme, format, f32, function, &kRows)
#define QASSAY_ARM_A8(name, scheme, format, weights, isa)                                    \
  QASSAY_ARM_ROW(LinearKernel, linear_a8r_##name##_f32_6x16_##isa, scheme, format, a8,       \
                 linear_a8_##weights##_##isa, &kRows)                                        \
  QASSAY_ARM_ROW(ConvKernel, conv_a8t_##name##_f32_6x16_##isa, scheme "-static", format, a8, \
                 linear_a8_##weights##_##isa, &kRows)
#define QASSAY_ARM_A8_BY_8(name, scheme, format, weights)                             \
  QASSAY_ARM_ROW(LinearKernel, linear_a8r_##name##_f32_6x16_i8mm, scheme, format, a8, \
                 linear_a8_##weights##_i8mm, &kRowsByPairs)

QASSAY_ARM_FLOAT(f32_f32, "FP32", f32, linear_f32)
QASSAY_ARM_FLOAT(f32_f16, "FP16", f16, linear_f16)
QASSAY_ARM_FLOAT(f32_bf16, "BF16", bf16, linear_bf16)
QASSAY_ARM_FLOAT(f32_s8c, "W8A16", s8, linear_s8)
QASSAY_ARM_FLOAT(f32_s4g, "W4A16-g32", u4, linear_s4)
QASSAY_ARM_A8_BY_8(s8c, "W8A8", s8x8, s8)
QASSAY_ARM_A8_BY_8(s4g, "W4A8-g32", u4x8, s4)
QASSAY_ARM_A8(s8c, "W8A8", s8, s8, dotprod)
QASSAY_ARM_A8(s4g, "W4A8-g32", u4, s4, dotprod)
QASSAY_ARM_A8(s8c, "W8A8", s8, s8, neon)
QASSAY_ARM_A8(s4g, "W4A8-g32", u4, s4, neon)

#undef QASSAY_ARM_A8_BY_8
#undef QASSAY_ARM_A8
#undef QASSAY_ARM_FLOAT
#undef QASSAY_ARM_ROW

}  // namespace qassay
