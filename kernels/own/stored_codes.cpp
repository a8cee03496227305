#include "kernels/own/stored_codes.hpp"

namespace qassay::own {

QuantMatrix widened(QuantMatrix weights, int bits) {
  NumberFormat& format = weights.scheme.weights;
  if (!format.zero_points) {
    const int shift = (1 << (bits - 1)) - (1 << (format.bits - 1));
    for (std::uint8_t& code : weights.codes) code = static_cast<std::uint8_t>(code + shift);
  }
  format.bits = bits;
  return weights;
}

}  // namespace qassay::own
