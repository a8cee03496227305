#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/matrix_view.hpp"
#include "core/quant_matrix.hpp"

namespace qassay {

/// How far an output may be from its reference:
///   limit(i, j) = absolute + relative * |expected(i, j)| + per_element(i, j)
/// All parts zero means equality of values: -0 equals +0, an infinity equals itself, NaN equals
/// nothing. That is the rule of every bit-exact contract.
struct Limits {
  double absolute = 0;
  double relative = 0;
  MatrixView<const double> per_element{};  // empty, or of the output's shape
};

/// The outcome of a comparison. The default (nothing compared) has not passed.
struct Comparison {
  struct Element {
    std::int64_t row = 0, col = 0;
    double got = 0, expected = 0, limit = 0;
  };

  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  std::int64_t zeros = 0;  // outputs that are zero
  Element worst;           // largest |got - expected| / limit; anything not finite is beyond all

  bool passed() const { return elements > 0 && mismatches == 0; }
  /// Share of outputs that are zero, in [0, 1].
  double zero_share() const;
  /// An output that agrees but is mostly zero proves little: a caller marks it mistrusted.
  bool mostly_zero() const;
  /// One line for people.
  std::string describe() const;
};

/// Compares element by element. Only a finite difference within a finite limit, or equality,
/// passes: whatever involves a NaN, a wrong infinity or a limit that is no number is a mismatch.
/// Throws std::invalid_argument when the shapes differ.
Comparison compare(ConstMatrix got, ConstMatrix expected, const Limits& limits);

inline constexpr double kF32Roundoff = 0x1p-24;

/// The most that a dot product of k terms, summed in any order with rounding errors of
/// `unit_roundoff`, can be away from the exact one, given the sum of |x_i| |w_i|:
///   gamma_k * sum,   gamma_k = k u / (1 - k u)
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1). Infinite where
/// k u >= 1, where no bound exists. The error of a reference in double is negligible beside it.
double dot_product_limit(std::int64_t k, double sum_of_magnitudes,
                         double unit_roundoff = kF32Roundoff);

/// The limit of every element of x[m,k] * w[n,k]^T summed in FP32, m * n values, row-major:
///   (gamma_k + input_roundoff) |x_i|_2 |w_j|_2
/// where the kernel first rounds x with that unit roundoff (2^-8 for BF16). The sums of magnitudes
/// are bounded by the norms (Cauchy and Schwarz), which costs (m + n) k instead of m n k and is 1.6
/// times looser for normal numbers.
std::vector<double> dot_product_limits(ConstMatrix x, ConstMatrix w, double input_roundoff = 0);

/// What a kernel that rounds x to codes of 16 bits, 32,639 steps to the largest magnitude of a
/// block, is off by besides (contract "fine-codes"): for each element of x, this part of
/// block_largest(). Half a step; the rest is for the division that finds the code, and for the sums
/// of the low bytes.
inline constexpr double kFineCodeRoundoff = 0.53 / 32639;
/// What a kernel is off by besides that takes x as x1 + x2 and FP16 weights as w1 + w2, four BF16
/// numbers, and leaves x2 w2 out (contract "two-parts"), for each |x| |w|: BF16 rounds by 2^-8 at
/// most, so x1 + x2 is off by 2^-16 and x2 w2 is no more.
inline constexpr double kTwoPartsRoundoff = 0x1.02p-15;
/// Of how many products it sums for each.
inline constexpr std::int64_t kTwoPartsProducts = 3;
/// |x|, [x.rows, x.cols], raised to the largest of its block along a row; the last may be short.
std::vector<float> block_largest(ConstMatrix x, std::int64_t block);
/// That for every element of x[m,k] * w[n,k]^T, m * n values, by the norms as above.
std::vector<double> fine_code_limits(ConstMatrix x, ConstMatrix w, std::int64_t block);

/// What the errors of a kernel that multiplies codes with block-scaled codes and rounds (contract
/// "reordered") are relative to, for each weight: |w| + zero * scale. It may sum products of
/// unsigned codes and take away the zero's share of a block afterwards, and round both.
std::vector<float> unsigned_magnitudes(const QuantMatrix& weights);

}  // namespace qassay
