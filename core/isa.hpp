#pragma once

#include <string_view>

namespace qassay {

/// Instruction sets that kernels are written for. Each x86 level includes those before it.
/// `any` runs everywhere.
enum class Isa { any, avx512, avx512vnni, avx512bf16 };

inline constexpr Isa kAllIsas[] = {Isa::any, Isa::avx512, Isa::avx512vnni, Isa::avx512bf16};

std::string_view to_string(Isa isa);
/// Throws InputError that lists the known names.
Isa parse_isa(std::string_view text);

}  // namespace qassay
