#pragma once

#include <cstdint>
#include <stdexcept>

namespace qassay {

/// Numbers that are worked on sooner than threads meet.
inline constexpr std::int64_t kWorthThreads = 8192;

/// Calls f(begin, end) for equal shares of 0 .. count, a thread each; where there are few `numbers`
/// in all, for the whole at once. Results of f must not depend on where the shares begin.
template <typename F>
void for_shares(std::int64_t count, int threads, F f, std::int64_t numbers = kWorthThreads) {
  if (numbers < kWorthThreads) return f(std::int64_t{0}, count);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int share = 0; share < threads; ++share)
    f(count * share / threads, count * (share + 1) / threads);
}

inline void require(bool condition, const char* fault) {
  if (!condition) throw std::invalid_argument(fault);
}

}  // namespace qassay
