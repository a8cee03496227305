#include "models/synthetic.hpp"

#include <algorithm>
#include <cmath>

#include "core/seed.hpp"

namespace qassay {

Layer synthetic_layer(std::string_view name, std::int64_t n, std::int64_t k) {
  Layer layer{.shape = {.name = std::string(name), .n = n, .k = k}, .weights = {}, .bias = {}};
  layer.weights.resize(static_cast<std::size_t>(n * k));
  fill_normal(layer.weights, seed_from_name(name),
              static_cast<float>(1.0 / std::sqrt(static_cast<double>(k))));
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
