#include "core/quant_matrix.hpp"

#include "core/half.hpp"

namespace qassay {

std::size_t QuantMatrix::scale_index(std::int64_t row, std::int64_t col) const {
  const NumberFormat& format = scheme.weights;
  switch (format.per) {
    case Granularity::tensor:
      return 0;
    case Granularity::row:
      return static_cast<std::size_t>(row);
    case Granularity::block:
      break;
  }
  return static_cast<std::size_t>(row * blocks_per_row(format, k) + col / format.block);
}

int QuantMatrix::zero_point(std::size_t index) const {
  return zero_points.empty() ? 1 << (scheme.weights.bits - 1) : zero_points[index];
}

float QuantMatrix::value(std::int64_t row, std::int64_t col) const {
  const auto at = static_cast<std::size_t>(row * k + col);
  switch (scheme.weights.kind) {
    case Kind::f32:
      return values[at];
    case Kind::f16:
      return f16_to_f32(halves[at]);
    case Kind::bf16:
      return bf16_to_f32(halves[at]);
    case Kind::integer:
      break;
  }
  const std::size_t scale = scale_index(row, col);
  return static_cast<float>(codes[at] - zero_point(scale)) * scales[scale];
}

}  // namespace qassay
