#include "hardware_profiles/eviction.hpp"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace qassay {
namespace {

#if defined(__x86_64__)

constexpr std::size_t kLine = 64;

/// CLFLUSHOPT, whose lines do not wait for each other; CLFLUSH is older and everywhere.
bool has_clflushopt() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_CLFLUSHOPT) != 0;
}

void drop(const std::byte* begin, const std::byte* end) {
  static const bool unordered = has_clflushopt();
  for (const std::byte* line = begin; line < end; line += kLine) {
    if (unordered) {
      __asm__ volatile("clflushopt %0" : : "m"(*line) : "memory");
    } else {
      __asm__ volatile("clflush %0" : : "m"(*line) : "memory");
    }
  }
  __asm__ volatile("mfence" : : : "memory");
}

#elif defined(__aarch64__)

constexpr std::size_t kLine =
    64;  // the smallest that current cores have; a longer one is dropped twice

void drop(const std::byte* begin, const std::byte* end) {
  for (const std::byte* line = begin; line < end; line += kLine)
    __asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
  __asm__ volatile("dsb sy" : : : "memory");
}

#else
#error "no way to drop memory from the caches of this architecture"
#endif

/// The start of the line that an address lies in.
const std::byte* line_of(const std::byte* address) {
  return address - reinterpret_cast<std::uintptr_t>(address) % kLine;
}

}  // namespace

void evict(std::span<const std::byte> memory, int threads) {
  if (memory.empty()) return;
  const std::byte* const begin = line_of(memory.data());
  const std::byte* const end = memory.data() + memory.size();
  const std::size_t lines = (static_cast<std::size_t>(end - begin) + kLine - 1) / kLine;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int part = 0; part < threads; ++part) {
    const auto at = [&](int i) {
      return begin +
             lines * static_cast<std::size_t>(i) / static_cast<std::size_t>(threads) * kLine;
    };
    drop(at(part), at(part + 1));
  }
}

}  // namespace qassay
