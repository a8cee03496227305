#include "core/isa.hpp"

#include <fmt/format.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "core/amx.hpp"
#include "core/error.hpp"

namespace qassay {

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::any:
      return "any";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
    case Isa::avx512bf16:
      return "avx512bf16";
    case Isa::amx:
      return "amx";
    case Isa::neon:
      return "neon";
    case Isa::dotprod:
      return "dotprod";
    case Isa::i8mm:
      return "i8mm";
  }
  return "unknown";
}

#if defined(__x86_64__)

namespace {

bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

bool has_avxvnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kAvxVnniBit = 1U << 4;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvxVnniBit) != 0;
}

}  // namespace

// __builtin_cpu_supports also asks whether the operating system saves the registers.
std::vector<Isa> supported_isas() {
  std::vector<Isa> isas{Isa::any};
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c()) return isas;
  isas.push_back(Isa::avx2);
  if (has_avxvnni()) isas.push_back(Isa::avxvnni);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
    return isas;
  isas.push_back(Isa::avx512);
  if (!__builtin_cpu_supports("avx512vnni")) return isas;
  isas.push_back(Isa::avx512vnni);
  if (!__builtin_cpu_supports("avx512bf16")) return isas;
  isas.push_back(Isa::avx512bf16);
  if (const Amx amx = usable_amx(); amx.int8 && amx.bf16) isas.push_back(Isa::amx);
  return isas;
}

#elif defined(__aarch64__)

// NEON is part of the base.
std::vector<Isa> supported_isas() {
  std::vector<Isa> isas{Isa::any, Isa::neon};
  if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) == 0) return isas;
  isas.push_back(Isa::dotprod);
  if ((getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0) isas.push_back(Isa::i8mm);
  return isas;
}

#else

std::vector<Isa> supported_isas() { return {Isa::any}; }

#endif

Isa parse_isa(std::string_view text) {
  std::string known;
  for (const Isa isa : kAllIsas) {
    if (to_string(isa) == text) return isa;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", to_string(isa));
  }
  throw InputError("--isa", fmt::format("instruction set '{}' is not known", text),
                   fmt::format("choose one of {}", known));
}

}  // namespace qassay
