#include "harness/worker/peak_memory.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>

namespace qassay {

void PeakMemory::begin_part() {
  before_ = of_all();
  std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): the peak is what is resident now
}

std::int64_t PeakMemory::of_part() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

std::int64_t PeakMemory::of_all() const { return std::max(before_, of_part()); }

}  // namespace qassay
