// The backend "cpu" on x86-64: its rows.

#include "kernels/kernel_table.hpp"
#include "kernels/own/conv.hpp"
#include "kernels/own/linear.hpp"
#include "kernels/x86/recipes.h"

namespace qassay {

using namespace own;

#define QASSAY_X86_ROW(Class, name, scheme, format, input, function, rows)                   \
  const Kernel& name() {                                                                     \
    static const Class kernel({kernel_info(#name), parse_scheme(scheme), LineFormat::format, \
                               Input::input, function, rows});                               \
    return kernel;                                                                           \
  }

#define QASSAY_ROW_BESIDE(beside, name, scheme, format, input, function, rows)          \
  const Kernel& name() {                                                                \
    static const LinearKernel kernel({kernel_info(#name), parse_scheme(scheme),         \
                                      LineFormat::format, Input::input, function, rows, \
                                      beside(function)});                               \
    return kernel;                                                                      \
  }
#define QASSAY_AMX_ROW(Class, ...) QASSAY_ROW_BESIDE(amx_beside, __VA_ARGS__)
#define QASSAY_AMX_BF16_ROW(Class, ...) QASSAY_ROW_BESIDE(amx_bf16_beside, __VA_ARGS__)

QASSAY_X86_INTEGER_LINEARS(QASSAY_AMX_ROW, 32x32_amx, avx512vnni, &kRowsAvx512)
QASSAY_X86_HALVES(QASSAY_AMX_ROW, 32x32_amx, avx512vnni, &kRowsAvx512)
QASSAY_X86_PAIRS(QASSAY_AMX_BF16_ROW, 32x32_amx, &kRowsAvx512)
QASSAY_AMX_ROW(LinearKernel, linear_bf16_bf16_f32_32x32_amx, "BF16", bf16, bf16,
               avx512bf16::linear_bf16_bf16, &kRowsAvx512Bf16)
QASSAY_AMX_BF16_ROW(LinearKernel, linear_bf16x2_f16_f32_32x32_amx, "FP16", f16, f32,
                    avx512::linear_f16, &kRowsAvx512)
QASSAY_X86_FLOATS(QASSAY_X86_ROW, 6x64_avx512, avx512, &kRowsAvx512)
QASSAY_X86_FLOATS(QASSAY_X86_ROW, 6x16_avx2, avx2, &kRowsAvx2)
QASSAY_X86_INTEGERS(QASSAY_X86_ROW, 6x64_avx512vnni, avx512vnni, &kRowsAvx512)
QASSAY_X86_INTEGERS(QASSAY_X86_ROW, 6x16_avxvnni, avxvnni, &kRowsAvx2)
QASSAY_X86_HALVES(QASSAY_X86_ROW, 6x64_avx512vnni, avx512vnni, &kRowsAvx512)
QASSAY_X86_HALVES(QASSAY_X86_ROW, 6x16_avxvnni, avxvnni, &kRowsAvx2)
QASSAY_X86_INTEGERS(QASSAY_X86_ROW, 6x16_avx2, avx2, &kRowsAvx2)
QASSAY_X86_ROW(LinearKernel, linear_bf16_bf16_f32_6x64_avx512bf16, "BF16", bf16, bf16,
               avx512bf16::linear_bf16_bf16, &kRowsAvx512Bf16)

#undef QASSAY_AMX_BF16_ROW
#undef QASSAY_AMX_ROW
#undef QASSAY_ROW_BESIDE
#undef QASSAY_X86_ROW

}  // namespace qassay
