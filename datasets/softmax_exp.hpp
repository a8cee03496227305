#pragma once

#include <bit>
#include <cstdint>

namespace qassay {

/// What is lower has to be made this (1e-304 of the largest): a compiler turns a limit inside the
/// function into a branch.
inline constexpr double kLowestSoftmaxExp = -700;

/// exp(x) for kLowestSoftmaxExp <= x <= 0: within 2 units in the last place, and without a branch
/// or a call, so that a loop over it becomes vector instructions.
///
/// x = k ln 2 + r with a whole k and |r| <= ln 2 / 2; exp(r) is Taylor's series up to r^12, whose
/// rest is below 0.3466^13 / 13! = 1.7e-16; k goes into the exponent of the result.
inline double softmax_exp(double x) {
  constexpr double kLog2OfE = 1.4426950408889634;
  // ln 2 in two parts, of which the first has so few digits that its product with k is exact.
  constexpr double kLn2High = 0x1.62e42feep-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  // Added to a small number, it leaves the nearest whole one in the low bits of the sum.
  constexpr double kShift = 0x1.8p52;
  const double shifted = x * kLog2OfE + kShift;
  const double k = shifted - kShift;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double series = 1.0 / 479001600;
  series = series * r + 1.0 / 39916800;
  series = series * r + 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  series = series * r + 1.0;
  series = series * r + 1.0;
  constexpr int kMantissaBits = 52;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(series) +
                               (std::bit_cast<std::uint64_t>(shifted) << kMantissaBits));
}

}  // namespace qassay
