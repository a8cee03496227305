#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/grid.hpp"
#include "core/scheme.hpp"

namespace qassay {

/// The weights of one layer in a scheme, plain and row-major, W[n,k]: n output channels, k
/// input features (for a convolution those of core/convolution.hpp). A kernel's packed layout is
/// its own affair.
///
/// Exactly one of the three arrays of weights is filled, as scheme.weights.kind says:
///   f32        values as they are
///   f16, bf16  bit patterns (core/half.hpp)
///   integer    one unsigned code a byte, value = (code - zero) * scale (core/grid.hpp)
/// `scales` holds blocks_per_row() numbers a row (one in all for Granularity::tensor), already
/// rounded to scheme.weights.scales. `zero_points` has the same shape, or is empty for symmetric
/// formats, whose zero is 2^(bits-1).
struct QuantMatrix {
  Scheme scheme;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::vector<float> values;
  std::vector<std::uint16_t> halves;
  std::vector<std::uint8_t> codes;
  std::vector<float> scales;
  std::vector<std::uint8_t> zero_points;
  Grid input;  // of the activations, where scheme.input.range is fixed

  /// Index into scales and zero_points of the weight at (row, col).
  std::size_t scale_index(std::int64_t row, std::int64_t col) const;
  int zero_point(std::size_t scale_index) const;
  /// The value that the weight at (row, col) stands for.
  float value(std::int64_t row, std::int64_t col) const;
};

}  // namespace qassay
