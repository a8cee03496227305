#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qassay {

/// What the machine can do at most, on all threads of the team together. 0 where there is no probe
/// for this machine: then nothing is known, and nothing can be judged against it.
struct Ceilings {
  double read_bytes_per_second = 0;
  double f32_flops = 0;  // operations per second; a multiplication and an addition are two
  double int8_ops = 0;   // products of bytes summed into int32, by VNNI, or AMX where it is
  double bf16_flops = 0;
};

/// What the read rate of memory is probed on: more than so many threads read in a sample. To be
/// evicted (eviction.hpp) before each.
std::size_t cold_working_set(int threads);

/// Samples the ceilings of this machine with the widest instructions that it has. A sample takes
/// about 5 ms and is noisy, like everything timed here: take many, among the measurements that are
/// judged by them, and use the median of each.
///
/// Runs on an OpenMP team of `threads`: pin it before.
class CeilingProbe {
 public:
  /// `working_set`: what the read rate is probed on; its size decides which cache level, or memory,
  /// answers. Each thread reads its own contiguous part again and again, and goes on in the next
  /// sample where it stopped, so that a set larger than the caches never becomes a cached one. It
  /// must stay alive, be aligned to 64 bytes, have been written to (untouched pages are all the
  /// same one), and hold at least 512 bytes a thread. Throws InputError otherwise.
  CeilingProbe(std::span<const std::byte> working_set, int threads);

  double read_bytes_per_second();
  double f32_flops() const;
  double int8_ops() const;
  double bf16_flops() const;
  /// One sample of each.
  Ceilings sample();

 private:
  struct alignas(64) Part {  // a cache line for each thread
    std::span<const std::byte> bytes;
    std::size_t position = 0;
    unsigned long long digest = 0;
  };

  std::vector<Part> parts_;
};

/// Cycles per second that the calling thread's core really runs at: the fastest of a few chains of
/// dependent additions, one a cycle. About 1 ms. 0 where there is no chain for the architecture.
double clock_hz();

}  // namespace qassay
