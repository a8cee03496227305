#include "core/seed.hpp"

#include <cmath>
#include <numbers>

namespace qassay {
namespace {

/// Fewer numbers cost less than to start and join threads.
constexpr std::int64_t kNumbersWorthThreads = 4096;

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15U;

/// The output function of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

double unit_interval(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

struct NormalPair {
  double first, second;
};

/// Box and Muller (1958). 1 - u lies in (0, 1], where the logarithm exists.
NormalPair normal_pair(std::uint64_t a, std::uint64_t b) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - unit_interval(a)));
  const double angle = 2.0 * std::numbers::pi * unit_interval(b);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace

std::uint64_t seed_from_name(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return mix(hash);
}

std::uint64_t Random::next() { return mix(state_ += kStep); }

double Random::uniform() { return unit_interval(next()); }

std::uint64_t Random::below(std::uint64_t n) {
  const std::uint64_t unbiased = UINT64_MAX - UINT64_MAX % n;
  std::uint64_t value = next();
  while (value >= unbiased) value = next();
  return value % n;
}

double Random::normal() {
  const std::uint64_t a = next();
  return normal_pair(a, next()).first;
}

void fill_normal(std::span<float> out, std::uint64_t seed, float deviation) {
  const auto size = static_cast<std::int64_t>(out.size());
#pragma omp parallel for schedule(static) if (size >= kNumbersWorthThreads)
  for (std::int64_t i = 0; i < size; i += 2) {
    const auto counter = static_cast<std::uint64_t>(i);
    const NormalPair pair =
        normal_pair(mix(seed + kStep * counter), mix(seed + kStep * (counter + 1)));
    out[static_cast<std::size_t>(i)] = static_cast<float>(pair.first) * deviation;
    if (i + 1 < size)
      out[static_cast<std::size_t>(i + 1)] = static_cast<float>(pair.second) * deviation;
  }
}

}  // namespace qassay
