#pragma once

#include "core/matrix_view.hpp"

namespace qassay {

/// How far a matrix is from its reference, over all elements. All figures are finite, for the store
/// holds neither infinity nor NaN.
struct Distortion {
  double sqnr_db = 0;         // 10 log10(|reference|^2 / |got - reference|^2)
  double cosine = 0;          // of the angle between both, seen as vectors
  double relative_error = 0;  // |got - reference| / |reference|, Frobenius norms
};

/// What stands for an infinite SQNR (equal matrices, two of zeros included), and with a minus sign
/// for that of an output that has nothing in common with its reference: one that is not finite
/// somewhere, or not zero where the reference is all zero. Rounding to FP32 alone gives 150 dB.
inline constexpr double kMaxSqnrDb = 300;
/// The relative error that goes with -kMaxSqnrDb: 10^(300 / 20).
inline constexpr double kMaxRelativeError = 1e15;

/// Sums in double; the same for any number of threads. Two zero vectors have cosine 1, a zero and
/// another one 0. Throws std::invalid_argument when the shapes differ or there are no elements.
Distortion distortion(ConstMatrix got, ConstMatrix reference);

}  // namespace qassay
