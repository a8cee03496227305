#pragma once

#include <span>
#include <string>

#include "core/record.hpp"

namespace qassay {

/// The axis that the bars of one claim share, so that they can be compared by eye.
struct BarAxis {
  double low = 0, high = 1;
};
/// Covers the claimed ranges and the intervals of all rows that have a figure.
BarAxis bar_axis(std::span<const VerdictRow* const> rows);

/// An inline SVG: the claimed range as a band, the figure as a dot on the line of its interval;
/// hollow and dashed when it is not measured.
std::string interval_bar(const VerdictRow& row, const BarAxis& axis);

}  // namespace qassay
