#pragma once

#include <cstdint>
#include <stdexcept>

namespace qassay {

/// Calls f(begin, end) for equal shares of 0 .. count, a thread each. Results of f must not depend
/// on where the shares begin.
template <typename F>
void for_shares(std::int64_t count, int threads, F f) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int share = 0; share < threads; ++share)
    f(count * share / threads, count * (share + 1) / threads);
}

inline void require(bool condition, const char* fault) {
  if (!condition) throw std::invalid_argument(fault);
}

}  // namespace qassay
