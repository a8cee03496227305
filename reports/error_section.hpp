#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/charts.hpp"
#include "reports/results.hpp"

namespace qassay {

inline constexpr std::string_view kErrorAlone = "relative_error";
inline constexpr std::string_view kErrorAccumulated = "accumulated_relative_error";

/// Whether any layer of the series has an error with those of the layers before it.
bool accumulates(const Series& series);

struct NamedSeries {
  std::string name;
  const Series* series;
};

/// An error of the layers' outputs (one of the two above) as a chart with a line a series, and as a
/// table.
std::string layer_errors(std::string_view title, std::string_view metric,
                         const std::vector<std::string>& layers,
                         const std::vector<NamedSeries>& chosen, Charts& charts);

}  // namespace qassay
