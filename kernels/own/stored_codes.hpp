#pragma once

#include "core/quant_matrix.hpp"

namespace qassay::own {

/// Codes are stored in 4 bits or in 8: narrower ones in the next of these. Their scales and values
/// stay, and so do the bytes and the speed of the wider ones.
constexpr int stored_bits(int bits) { return bits <= 4 ? 4 : 8; }

/// The same weights in codes of so many bits, no fewer than they have. A symmetric code moves with
/// the middle of its grid; an asymmetric one has a zero point, and stays.
QuantMatrix widened(QuantMatrix weights, int bits);

}  // namespace qassay::own
