#include "models/synthetic.hpp"

#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <memory>

#include "core/seed.hpp"

namespace qassay {
namespace {

/// The middles of 65,536 equally likely parts of the normal distribution: 16 random bits name one.
/// For large layers, of which Box and Muller's logarithms and sines took a fifth of a cold leg.
constexpr std::size_t kParts = 1 << 16;

const std::array<float, kParts>& normal_parts() {
  static const auto kTable = [] {
    auto table = std::make_unique<std::array<float, kParts>>();
    const boost::math::normal normal;
    for (std::size_t i = 0; i < kParts; ++i) {
      (*table)[i] = static_cast<float>(
          boost::math::quantile(normal, (static_cast<double>(i) + 0.5) / kParts));
    }
    return table;
  }();
  return *kTable;
}

}  // namespace

/// Each block of numbers has a stream of its own, so that they do not depend on the threads.
void fill_synthetic(std::span<float> out, std::string_view name, float deviation) {
  constexpr std::int64_t kBlock = 4096;
  const std::array<float, kParts>& parts = normal_parts();
  const std::uint64_t seed = seed_from_name(name);
  const auto size = static_cast<std::int64_t>(out.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t block = 0; block < (size + kBlock - 1) / kBlock; ++block) {
    Random streams(seed + static_cast<std::uint64_t>(block));
    Random random(streams.next());
    std::uint64_t bits = 0;
    for (std::int64_t i = block * kBlock; i < std::min(size, (block + 1) * kBlock); ++i) {
      bits = i % 4 == 0 ? random.next() : bits >> 16;
      out[static_cast<std::size_t>(i)] = parts[bits & (kParts - 1)] * deviation;
    }
  }
}

Layer synthetic_layer(std::string_view name, std::int64_t n, std::int64_t k) {
  Layer layer{.shape = {.name = std::string(name), .n = n, .k = k}, .weights = {}, .bias = {}};
  layer.weights.resize(static_cast<std::size_t>(n * k));
  fill_synthetic(layer.weights, name, static_cast<float>(1.0 / std::sqrt(static_cast<double>(k))));
  return layer;
}

std::vector<float> synthetic_channel_factors(std::int64_t k) {
  std::vector<float> factors(static_cast<std::size_t>(k), 1.0F);
  const auto outliers =
      std::max<std::int64_t>(1, std::llround(kOutlierShare * static_cast<double>(k)));
  Random random(seed_from_name("synthetic activations: outlier channels"));
  for (std::int64_t chosen = 0; chosen < outliers;) {
    float& factor = factors[random.below(static_cast<std::uint64_t>(k))];
    if (factor != 1.0F) continue;
    factor = kOutlierLow + (kOutlierHigh - kOutlierLow) * static_cast<float>(random.uniform());
    ++chosen;
  }
  return factors;
}

std::vector<float> synthetic_activations(std::int64_t m, std::int64_t k) {
  const std::vector<float> factors = synthetic_channel_factors(k);
  std::vector<float> x(static_cast<std::size_t>(m * k));
  fill_normal(x, seed_from_name("synthetic activations"), 1.0F);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= factors[i % factors.size()];
  return x;
}

}  // namespace qassay
