#include "core/isa.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

namespace qassay {

std::string_view to_string(Isa isa) {
  switch (isa) {
    case Isa::any:
      return "any";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
    case Isa::avx512bf16:
      return "avx512bf16";
  }
  return "unknown";
}

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
