#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/seed.hpp"
#include "quantizers/hessian.hpp"

namespace qassay {

/// A layer with the rows that calibration puts into it: inputs of variance 1, each correlated with
/// the one before it by rho (an autoregressive process), which is what GPTQ lives on.
struct LayerSample {
  std::int64_t n, k, m;
  std::vector<float> weights;  // [n,k]
  std::vector<float> inputs;   // [m,k]

  LayerSample(std::int64_t rows, std::int64_t cols, std::int64_t samples, double rho,
              std::string_view name)
      : n(rows),
        k(cols),
        m(samples),
        weights(static_cast<std::size_t>(n * k)),
        inputs(static_cast<std::size_t>(m * k)) {
    fill_normal(weights, seed_from_name(std::string(name) + "/weights"), 0.02F);
    fill_normal(inputs, seed_from_name(std::string(name) + "/inputs"), 1.0F);
    const double fresh = std::sqrt(1 - rho * rho);
    for (std::int64_t i = 0; i < m * k; ++i) {
      if (i % k == 0) continue;
      float& x = inputs[static_cast<std::size_t>(i)];
      x = static_cast<float>(rho * inputs[static_cast<std::size_t>(i - 1)] + fresh * x);
    }
  }

  ConstMatrix w() const { return {weights.data(), n, k}; }
  ConstMatrix x() const { return {inputs.data(), m, k}; }
  Hessian hessian() const {
    Hessian h(k);
    h.add(x());
    return h;
  }
  /// Multiplies an input's column.
  void scale_input(std::int64_t column, float factor) {
    for (std::int64_t row = 0; row < m; ++row) {
      inputs[static_cast<std::size_t>(row * k + column)] *= factor;
    }
  }
};

}  // namespace qassay
