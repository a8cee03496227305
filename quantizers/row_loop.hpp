#pragma once

#include <cstdint>
#include <exception>

namespace qassay {

/// Runs work(i) for i in [0, count) in parallel. An exception cannot leave a parallel region: that
/// of the lowest i is kept and thrown afterwards, the same for any number of threads.
template <typename Work>
void for_each_row(std::int64_t count, const Work& work) {
  if (count == 1) return work(0);
  constexpr std::int64_t kShares = 64;  // not to be handed out one by one
  const std::int64_t share = (count + kShares - 1) / kShares;
  std::exception_ptr error;
  std::int64_t error_row = count;
#pragma omp parallel for schedule(dynamic, share)
  for (std::int64_t row = 0; row < count; ++row) {
    try {
      work(row);
    } catch (...) {
#pragma omp critical(qassay_row_error)
      if (row < error_row) {
        error_row = row;
        error = std::current_exception();
      }
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace qassay
