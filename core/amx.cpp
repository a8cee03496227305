#include "core/amx.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace qassay {

#if defined(__x86_64__) && defined(__linux__)

namespace {

constexpr unsigned kOsxsave = 1U << 27;  // leaf 1, ecx
constexpr unsigned kBf16 = 1U << 22;     // leaf 7, edx
constexpr unsigned kTiles = 1U << 24;
constexpr unsigned kInt8 = 1U << 25;
constexpr std::uint64_t kTileStates = 3ULL << 17;  // of XCR0: configuration and data
constexpr long kRequestPermission = 0x1023;        // ARCH_REQ_XCOMP_PERM
constexpr long kTileData = 18;

std::uint64_t enabled_states() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

Amx find() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsxsave) == 0) return {};
  if ((enabled_states() & kTileStates) != kTileStates) return {};
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0) return {};
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return {};
  return {.int8 = (d & kInt8) != 0, .bf16 = (d & kBf16) != 0};
}

}  // namespace

Amx usable_amx() {
  static const Amx found = find();
  return found;
}

#else

Amx usable_amx() { return {}; }

#endif

}  // namespace qassay
