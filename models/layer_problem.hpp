#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"
#include "models/graph.hpp"

namespace qassay {

/// What a kernel is asked for a layer of a model in the model's scheme, for m_max positions that
/// the model gives.
inline Problem layer_problem(const LayerShape& layer, const Scheme& scheme, std::int64_t m_max) {
  return {.m_max = m_max * layer.rows,
          .n = layer.n,
          .k = layer.k,
          .scheme = layer.convolution ? convolution_scheme(scheme) : scheme,
          .bias = layer.bias,
          .convolution = layer.convolution};
}

}  // namespace qassay
