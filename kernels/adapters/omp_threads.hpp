#pragma once

#include <omp.h>

namespace qassay {

/// Both libraries take their number of threads from the OpenMP setting of the calling thread, when
/// they plan as well as when they run. It holds for this object's life.
class OmpThreads {
 public:
  explicit OmpThreads(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ~OmpThreads() { omp_set_num_threads(before_); }
  OmpThreads(const OmpThreads&) = delete;
  OmpThreads& operator=(const OmpThreads&) = delete;

 private:
  int before_;
};

}  // namespace qassay
