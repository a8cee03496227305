// The backend "cpu" on x86-64: the recipes of its rows.

#include "kernels/kernel_table.hpp"
#include "kernels/own/conv.hpp"
#include "kernels/own/linear.hpp"
#include "kernels/x86/functions.h"

namespace qassay {

using namespace own;

#define QASSAY_X86_ROW(Class, name, scheme, format, input, ...)                              \
  const Kernel& name() {                                                                     \
    static const Class kernel({kernel_info(#name), parse_scheme(scheme), LineFormat::format, \
                               Input::input, __VA_ARGS__});                                  \
    return kernel;                                                                           \
  }
#define QASSAY_X86_LINEAR(...) QASSAY_X86_ROW(LinearKernel, __VA_ARGS__)
#define QASSAY_X86_CONV(...) QASSAY_X86_ROW(ConvKernel, __VA_ARGS__)

QASSAY_X86_LINEAR(linear_f32_f32_f32_6x64_avx512, "FP32", f32, f32, linear_f32)
QASSAY_X86_LINEAR(linear_f32_f16_f32_6x64_avx512, "FP16", f16, f32, linear_f16)
QASSAY_X86_LINEAR(linear_bf16_bf16_f32_6x64_avx512bf16, "BF16", bf16, bf16, linear_bf16_bf16,
                  nullptr, convert_row_bf16)
QASSAY_X86_LINEAR(linear_f32_bf16_f32_6x64_avx512, "BF16", bf16, f32, linear_bf16)
QASSAY_X86_LINEAR(linear_a8r_s8c_f32_6x64_avx512vnni, "W8A8", u8, a8, linear_a8_u8, quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_s8g_f32_6x64_avx512vnni, "W8A8-g32", u8, a8, linear_a8_u8_groups,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_u8c_f32_6x64_avx512vnni, "W8A8-asym", u8, a8, linear_a8_u8,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_u8g_f32_6x64_avx512vnni, "W8A8-g32-asym", u8, a8, linear_a8_u8_groups,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_s4c_f32_6x64_avx512vnni, "W4A8", u4, a8, linear_a8_u4, quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_s4g_f32_6x64_avx512vnni, "W4A8-g32", u4, a8, linear_a8_u4_groups,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_u4c_f32_6x64_avx512vnni, "W4A8-asym", u4, a8, linear_a8_u4,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8r_u4g_f32_6x64_avx512vnni, "W4A8-g32-asym", u4, a8, linear_a8_u4_groups,
                  quantize_row_a8)
QASSAY_X86_LINEAR(linear_a8g_s8g_f32_6x64_avx512vnni, "W8A8-g32-blocked", u8, a8,
                  linear_a8_u8_groups, nullptr, nullptr, quantize_row_a8_blocked)
QASSAY_X86_LINEAR(linear_a8g_u8g_f32_6x64_avx512vnni, "W8A8-g32-asym-blocked", u8, a8,
                  linear_a8_u8_groups, nullptr, nullptr, quantize_row_a8_blocked)
QASSAY_X86_LINEAR(linear_a8g_s4g_f32_6x64_avx512vnni, "W4A8-g32-blocked", u4, a8,
                  linear_a8_u4_groups, nullptr, nullptr, quantize_row_a8_blocked)
QASSAY_X86_LINEAR(linear_a8g_u4g_f32_6x64_avx512vnni, "W4A8-g32-asym-blocked", u4, a8,
                  linear_a8_u4_groups, nullptr, nullptr, quantize_row_a8_blocked)
QASSAY_X86_LINEAR(linear_f32_s8c_f32_6x64_avx512, "W8A16", u8, f32, linear_u8)
QASSAY_X86_LINEAR(linear_f32_s8g_f32_6x64_avx512, "W8A16-g32", u8, f32, linear_u8_groups)
QASSAY_X86_LINEAR(linear_f32_u8c_f32_6x64_avx512, "W8A16-asym", u8, f32, linear_u8)
QASSAY_X86_LINEAR(linear_f32_u8g_f32_6x64_avx512, "W8A16-g32-asym", u8, f32, linear_u8_groups)
QASSAY_X86_LINEAR(linear_f32_s4c_f32_6x64_avx512, "W4A16", u4, f32, linear_u4)
QASSAY_X86_LINEAR(linear_f32_s4g_f32_6x64_avx512, "W4A16-g32", u4, f32, linear_u4_groups)
QASSAY_X86_LINEAR(linear_f32_u4c_f32_6x64_avx512, "W4A16-asym", u4, f32, linear_u4)
QASSAY_X86_LINEAR(linear_f32_u4g_f32_6x64_avx512, "W4A16-g32-asym", u4, f32, linear_u4_groups)

QASSAY_X86_CONV(conv_f32_f32_f32_6x64_avx512, "FP32", f32, f32, linear_f32)
QASSAY_X86_CONV(conv_f32_f16_f32_6x64_avx512, "FP16", f16, f32, linear_f16)
QASSAY_X86_CONV(conv_f32_bf16_f32_6x64_avx512, "BF16", bf16, f32, linear_bf16)
QASSAY_X86_CONV(conv_a8t_s8c_f32_6x64_avx512vnni, "W8A8-static", u8, a8, linear_a8_u8)
QASSAY_X86_CONV(conv_a8t_s8g_f32_6x64_avx512vnni, "W8A8-g32-static", u8, a8, linear_a8_u8_groups)
QASSAY_X86_CONV(conv_a8t_s4c_f32_6x64_avx512vnni, "W4A8-static", u4, a8, linear_a8_u4)
QASSAY_X86_CONV(conv_a8t_s4g_f32_6x64_avx512vnni, "W4A8-g32-static", u4, a8, linear_a8_u4_groups)
QASSAY_X86_CONV(conv_f32_s8c_f32_6x64_avx512, "W8A16", u8, f32, linear_u8)
QASSAY_X86_CONV(conv_f32_s8g_f32_6x64_avx512, "W8A16-g32", u8, f32, linear_u8_groups)
QASSAY_X86_CONV(conv_f32_s4c_f32_6x64_avx512, "W4A16", u4, f32, linear_u4)
QASSAY_X86_CONV(conv_f32_s4g_f32_6x64_avx512, "W4A16-g32", u4, f32, linear_u4_groups)

#undef QASSAY_X86_CONV
#undef QASSAY_X86_LINEAR
#undef QASSAY_X86_ROW

}  // namespace qassay
