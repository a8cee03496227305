#pragma once

#include <algorithm>
#include <functional>

namespace qassay::own {

/// The number of threads, of 1, 2, 4 ... `most`, with which a call is fastest. `seconds(threads)`:
/// how long it takes. A larger team has to win by a twentieth.
inline int fastest_team(int most, const std::function<double(int)>& seconds) {
  constexpr double kWorthwhile = 0.95;
  int fastest = 1;
  double least = seconds(1);
  for (int threads = 1; threads < most;) {
    threads = std::min(2 * threads, most);
    const double time = seconds(threads);
    if (time >= kWorthwhile * least) continue;
    fastest = threads;
    least = time;
  }
  return fastest;
}

}  // namespace qassay::own
