#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/kernel.hpp"

namespace qassay {

/// What a kernel computes. Int8 activations are dynamic in linear layers and static in
/// convolutions.
enum class LayerKind { linear, convolution };

/// Why a kernel of this kind does not take the problem at all, if so: "takes ..." like all refusals
/// of what a kernel was not made for.
inline std::optional<Refusal> refuses_kind(LayerKind mine, const Problem& problem) {
  const bool convolution = mine == LayerKind::convolution;
  if (problem.convolution.has_value() != convolution)
    return Refusal{convolution ? "takes convolutions only" : "takes linear layers only"};
  if (problem.scheme.input.range == (convolution ? Range::dynamic : Range::fixed)) {
    return Refusal{convolution ? "takes int8 activations with a calibrated range only"
                               : "takes int8 activations with a range by row only"};
  }
  return std::nullopt;
}

/// What a call with m rows on `weight_bytes` of packed weights moves and computes.
inline Traffic traffic_of(const Problem& problem, std::int64_t m, std::size_t weight_bytes,
                          Traffic::Unit unit) {
  const std::int64_t outputs = problem.outputs();
  return {.weight_bytes = static_cast<double>(weight_bytes),
          .activation_bytes = 4.0 * static_cast<double>(m * (problem.inputs() + outputs)),
          .operations = 2.0 * static_cast<double>(m * outputs * problem.k),
          .unit = unit};
}

}  // namespace qassay
