#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figure.hpp"

namespace qassay {

/// An end that is not finite is open.
struct Band {
  double low = 0, high = 0;
};

/// One bar, or one point: its name, what it is coloured by, and where it lies.
struct ChartBar {
  std::string label;
  std::string family;  // bars of a family share a colour; the label names it too
  Figure value;
  std::string text;                         // the figure as it is to be read
  std::optional<Band> band = std::nullopt;  // what was claimed, drawn behind the bar
};
struct ChartPoint {
  std::string label;
  std::string mark;  // a short name, drawn beside the point where there is room
  std::string family;
  Figure x, y;
  std::string text;
  bool frontier = false;  // joined by a line with the others that are
};
/// A line through the same places as all others of its chart; NaN where it has no value.
struct ChartLine {
  std::string label;
  std::vector<double> values;
  std::vector<std::string> texts;
  std::vector<Figure> intervals{};  // of the values; empty where they are exact
};
struct ChartAxis {
  std::string title;
  double factor = 1;  // shown = value * factor
};

/// Collects what the page's script draws. Each function returns the HTML of the chart's place,
/// which stays hidden where scripts are off, and is empty when there is nothing to draw or the
/// build has no Chart.js. All texts are given unescaped.
class Charts {
 public:
  Charts();
  ~Charts();

  /// Horizontal bars with intervals; a line marks `reference`.
  std::string bars(std::string_view title, const ChartAxis& axis, double reference,
                   const std::vector<ChartBar>& bars);
  /// Lines over `places`, on a logarithmic axis: values that are not positive are not drawn.
  std::string lines(std::string_view title, const ChartAxis& axis,
                    const std::vector<std::string>& places, const std::vector<ChartLine>& lines);
  /// Points with intervals both ways.
  std::string scatter(std::string_view title, const ChartAxis& x, const ChartAxis& y,
                      const std::vector<ChartPoint>& points);

  const nlohmann::json& data() const;

 private:
  std::string place(std::string_view title, nlohmann::json chart);

  std::unique_ptr<nlohmann::json> charts_;
};

}  // namespace qassay
