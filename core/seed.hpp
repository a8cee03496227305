#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace qassay {

/// A seed from a name (FNV-1a, then mixed): the same on every machine and library.
std::uint64_t seed_from_name(std::string_view name);

/// A small counter-based generator (SplitMix64): value i of a stream needs no other, so streams are
/// filled in parallel with the same result for any number of threads.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform();                      // [0, 1)
  std::uint64_t below(std::uint64_t n);  // [0, n), n > 0
  double normal();                       // mean 0, variance 1
  /// Every order is as likely as any other.
  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t state_;
};

/// Fills with normal numbers of mean 0 and the given deviation, in parallel, independent of the
/// number of threads.
void fill_normal(std::span<float> out, std::uint64_t seed, float deviation);

}  // namespace qassay
