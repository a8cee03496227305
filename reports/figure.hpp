#pragma once

#include <string>
#include <string_view>

namespace qassay {

/// A value and its 95 % interval; low == value == high for exact figures.
struct Figure {
  double value = 0, low = 0, high = 0;

  bool exact() const { return low == value && high == value; }
};

/// "3.10× (2.92–3.28)", "412 µs (405–420)", "12.3 MiB", "−0.02 % (−0.18 to 0.14)". The interval
/// decides the digits: its half-width keeps one, or two when it begins with 1, and no figure has
/// more than four. Units are those of
/// core/record.hpp; others are written behind the figure as they are. Fractions become percent.
/// A value that is not finite is "–".
std::string figure_text(const Figure& figure, std::string_view unit);

/// "2–4×", "at least 2×", "at most 1 %" (an end that is not finite is open); one end when they are
/// equal.
std::string range_text(double low, double high, std::string_view unit);

/// "0.90–2.02×": where several figures lie, to three digits of the larger end.
std::string span_text(double least, double most, std::string_view unit);

/// "75 %" of 0.75.
std::string percent_text(double fraction);

}  // namespace qassay
