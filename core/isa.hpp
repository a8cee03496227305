#pragma once

#include <string_view>
#include <vector>

namespace qassay {

/// Instruction sets that kernels are written for: those of x86-64, then those of 64-bit ARM, the
/// wider or richer after the others. Each includes those before it in its family, but for avxvnni,
/// which processors with AVX-512 may lack. avx2 stands for FMA and F16C too, amx for tiles of int8
/// and BF16 that the operating system lets this process use. `any` runs everywhere.
enum class Isa { any, avx2, avxvnni, avx512, avx512vnni, avx512bf16, amx, neon, dotprod, i8mm };

inline constexpr Isa kAllIsas[] = {Isa::any,        Isa::avx2,       Isa::avxvnni, Isa::avx512,
                                   Isa::avx512vnni, Isa::avx512bf16, Isa::amx,     Isa::neon,
                                   Isa::dotprod,    Isa::i8mm};

/// What this processor and its operating system run, in the order of kAllIsas.
std::vector<Isa> supported_isas();

std::string_view to_string(Isa isa);
/// Throws InputError that lists the known names.
Isa parse_isa(std::string_view text);

}  // namespace qassay
