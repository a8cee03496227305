// The rows for AVX-VNNI, made from the same file with the other encoding of its one instruction
// (kernels/x86/linear_avxvnni.cpp): what processors with AVX512-VNNI can test of them.

#include <memory>
#include <vector>

#include "kernels/own/conv.hpp"
#include "kernels/own/linear.hpp"
#include "kernels/x86/recipes.h"
#include "tests/kernels/tested_kernels.hpp"

namespace qassay {

using namespace own;

const std::vector<const Kernel*>& evex_rows() {
  static const std::vector<std::unique_ptr<Kernel>> made = [] {
    std::vector<std::unique_ptr<Kernel>> kernels;
#define QASSAY_EVEX_ROW(contract, Class, name, scheme, format, input, function, rows)         \
  kernels.push_back(std::make_unique<Class>(Recipe{{#name, "cpu", Isa::avx512vnni, contract}, \
                                                   parse_scheme(scheme),                      \
                                                   LineFormat::format,                        \
                                                   Input::input,                              \
                                                   function,                                  \
                                                   rows}));
#define QASSAY_EXACT_ROW(...) QASSAY_EVEX_ROW(Contract::bit_exact, __VA_ARGS__)
#define QASSAY_FINE_ROW(...) QASSAY_EVEX_ROW(Contract::fine_codes, __VA_ARGS__)
    QASSAY_X86_INTEGERS(QASSAY_EXACT_ROW, 6x16_avxvnni_as_evex, avxvnni, &kRowsAvx2)
    QASSAY_X86_HALVES(QASSAY_FINE_ROW, 6x16_avxvnni_as_evex, avxvnni, &kRowsAvx2)
#undef QASSAY_FINE_ROW
#undef QASSAY_EXACT_ROW
#undef QASSAY_EVEX_ROW
    return kernels;
  }();
  static const std::vector<const Kernel*> rows = [] {
    std::vector<const Kernel*> pointers;
    for (const auto& kernel : made) pointers.push_back(kernel.get());
    return pointers;
  }();
  return rows;
}

}  // namespace qassay
