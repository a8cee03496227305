#include "hardware_profiles/cpuid.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace qassay {

#if defined(__x86_64__)

std::optional<std::string> hypervisor_name() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kHypervisorBit = 1U << 31;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kHypervisorBit) == 0) return std::nullopt;
  // The leaf that hypervisors answer lies beyond what __get_cpuid takes for the largest one.
  __cpuid(0x40000000, a, b, c, d);
  const unsigned words[] = {b, c, d};
  std::string name;
  for (const unsigned word : words) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      const char letter = static_cast<char>(word >> shift & 0xFFU);
      if (letter > ' ' && letter <= '~') name += letter;
    }
  }
  if (name.empty()) name = "unnamed";
  return name;
}

#else

std::optional<std::string> hypervisor_name() { return std::nullopt; }

#endif

}  // namespace qassay
