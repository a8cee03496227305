#pragma once

#include <string>
#include <vector>

namespace qassay {

/// What a source prints beside figures from which it follows.
struct Audit {
  ///   sum         a + b + ...
  ///   difference  a - b
  ///   product     a * b * ...
  ///   quotient    a / b
  ///   change      of a into b in percent: 100 (b - a) / a
  enum class Operation { sum, difference, product, quotient, change };

  std::string of;  // in words: "what 769 million weights take at a byte each, in GB"
  Operation operation = Operation::sum;
  std::vector<double> figures;               // two, or more where that has a meaning
  double printed_low = 0, printed_high = 0;  // equal where one number is printed
  double tolerance = 0;  // how far rounding of all that is printed may take them apart
};

/// The arithmetic in a line, where what is printed does not follow: "769 * 0.001 = 0.769, and 0.4
/// is printed (what ...)". Empty where it does; both ends of the tolerance belong to it.
std::string contradiction(const Audit& audit);

/// Those of several, joined.
std::string contradictions(const std::vector<Audit>& audits);

}  // namespace qassay
