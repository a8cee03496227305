#include "hardware_profiles/ceilings.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/amx.hpp"
#include "core/error.hpp"
#include "core/isa.hpp"
#include "hardware_profiles/probes/probe_kernels.h"

namespace qassay {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// What a thread does first in every sample: fills the caches and brings wide instructions to speed.
constexpr std::chrono::microseconds kWarmUp{1500};
constexpr std::chrono::microseconds kTimed{3000};

constexpr std::size_t kReadUnit = 512;       // bytes; see probe_kernels.h
constexpr std::size_t kReadBlock = 1 << 18;  // bytes between two looks at the clock
constexpr long kStepsBlock = 10'000;         // the same, for chains: some 30 us, of tiles 300
// A thread's part from this size on lies beyond every private cache. There, prefetching this far
// ahead is what one core needs to keep enough lines of DRAM under way (a shared cache does not
// mind); in nearer caches it would cost a quarter of the rate.
constexpr std::size_t kPrefetchFrom = 4 << 20;
constexpr std::size_t kPrefetchAhead = 2048;

/// The inner loops for this machine; null where there is none.
struct ProbeKernels {
  unsigned long long (*read)(const void*, std::size_t, long, std::size_t) = qassay_read_portable;
  double (*f32)(long) = qassay_f32_portable;
  double (*int8)(long) = nullptr;
  double (*bf16)(long) = nullptr;
};

ProbeKernels choose_kernels() {
  ProbeKernels kernels;
#if defined(__x86_64__)
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::avx2) {
      kernels.read = qassay_read_avx2;
      kernels.f32 = qassay_f32_avx2;
    }
    if (isa == Isa::avxvnni) kernels.int8 = qassay_int8_avxvnni;
    if (isa == Isa::avx512) {
      kernels.read = qassay_read_avx512;
      kernels.f32 = qassay_f32_avx512;
    }
    if (isa == Isa::avx512vnni) kernels.int8 = qassay_int8_avx512vnni;
    if (isa == Isa::avx512bf16) kernels.bf16 = qassay_bf16_avx512bf16;
  }
  if (usable_amx().int8) kernels.int8 = qassay_int8_amx;
  if (usable_amx().bf16) kernels.bf16 = qassay_bf16_amx;
#endif
  return kernels;
}

const ProbeKernels& kernels() {
  static const ProbeKernels chosen = choose_kernels();
  return chosen;
}

/// Work per second of the whole team. `block(thread)` does a little and returns how much. All
/// threads work from a common start until a common end, so that each is timed while the others
/// work.
template <typename Block>
double team_rate(int threads, const Block& block) {
  Clock::time_point start;
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    const int thread = omp_get_thread_num();
#pragma omp barrier
#pragma omp single
    start = Clock::now();
    Clock::time_point now;
    do {
      block(thread);
      now = Clock::now();
    } while (now < start + kWarmUp);
    const Clock::time_point from = now;
    double work = 0;
    do {
      work += block(thread);
      now = Clock::now();
    } while (now < start + kWarmUp + kTimed);
    rate += work / Seconds(now - from).count();
  }
  return rate;
}

double chain_rate(double (*chains)(long), int threads) {
  if (chains == nullptr) return 0;
  return team_rate(threads, [chains](int) { return chains(kStepsBlock); });
}

}  // namespace

std::size_t cold_working_set(int threads) {
  constexpr std::size_t kOfOneCore = std::size_t{192}
                                     << 20;            // 40 GB/s for as long as a sample takes
  constexpr std::size_t kMost = std::size_t{2} << 30;  // 400 GB/s
  return std::min(kOfOneCore * static_cast<std::size_t>(threads), kMost);
}

CeilingProbe::CeilingProbe(std::span<const std::byte> working_set, int threads) {
  if (threads < 1)
    throw InputError("threads", fmt::format("{} cannot run a probe", threads), "choose 1 or more");
  const std::size_t bytes =
      working_set.size() / static_cast<std::size_t>(threads) / kReadUnit * kReadUnit;
  if (bytes == 0 || reinterpret_cast<std::uintptr_t>(working_set.data()) % 64 != 0)
    throw InputError(
        "working set",
        fmt::format("{} bytes for {} threads, or their alignment", working_set.size(), threads),
        fmt::format("give {} bytes a thread, aligned to 64", kReadUnit));
  parts_.resize(static_cast<std::size_t>(threads));
  for (std::size_t i = 0; i < parts_.size(); ++i)
    parts_[i].bytes = working_set.subspan(i * bytes, bytes);
}

double CeilingProbe::read_bytes_per_second() {
  return team_rate(static_cast<int>(parts_.size()), [this](int thread) {
    Part& part = parts_[static_cast<std::size_t>(thread)];
    const std::size_t size = part.bytes.size();
    const std::size_t count = std::min(kReadBlock, size - part.position);
    const auto passes = static_cast<long>(size < kReadBlock ? kReadBlock / size : 1);
    part.digest ^= kernels().read(part.bytes.data() + part.position, count, passes,
                                  size < kPrefetchFrom ? 0 : kPrefetchAhead);
    part.position = (part.position + count) % size;
    return static_cast<double>(count) * static_cast<double>(passes);
  });
}

double CeilingProbe::f32_flops() const {
  return chain_rate(kernels().f32, static_cast<int>(parts_.size()));
}

double CeilingProbe::int8_ops() const {
  return chain_rate(kernels().int8, static_cast<int>(parts_.size()));
}

double CeilingProbe::bf16_flops() const {
  return chain_rate(kernels().bf16, static_cast<int>(parts_.size()));
}

Ceilings CeilingProbe::sample() {
  return {read_bytes_per_second(), f32_flops(), int8_ops(), bf16_flops()};
}

double clock_hz() {
#if defined(__x86_64__) || defined(__aarch64__)
  constexpr int kBatches = 8;  // an interrupt spoils one of them
  constexpr long kLoops = 5'000;
  constexpr long kAddsPerLoop = 64;
  double fastest = 0;
  for (int batch = 0; batch < kBatches; ++batch) {
    std::uint64_t sum = 0;
    const std::uint64_t one = 1;
    const Clock::time_point start = Clock::now();
    for (long loop = 0; loop < kLoops; ++loop) {
      // A register is added, not a constant: some cores take constants out of the chain.
#if defined(__x86_64__)
      __asm__ volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(one) : "cc");
#else
      __asm__ volatile(".rept 64\n\tadd %0, %0, %1\n\t.endr" : "+r"(sum) : "r"(one));
#endif
    }
    const double seconds = Seconds(Clock::now() - start).count();
    fastest = std::max(fastest, static_cast<double>(kLoops * kAddsPerLoop) / seconds);
  }
  return fastest;
#else
  return 0;
#endif
}

}  // namespace qassay
