#include "reports/charts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "embedded/chart_js.hpp"
#include "reports/html.hpp"

namespace qassay {
namespace {

nlohmann::json scaled(const Figure& figure, const ChartAxis& axis) {
  return {{"value", figure.value * axis.factor},
          {"low", figure.low * axis.factor},
          {"high", figure.high * axis.factor}};
}

}  // namespace

Charts::Charts() : charts_(std::make_unique<nlohmann::json>(nlohmann::json::array())) {}
Charts::~Charts() = default;

const nlohmann::json& Charts::data() const { return *charts_; }

std::string Charts::place(std::string_view title, nlohmann::json chart) {
  const std::size_t number = charts_->size();
  charts_->push_back(std::move(chart));
  return fmt::format(
      "<figure class=\"chart\" data-chart=\"{}\"><figcaption>{}</figcaption>"
      "<div class=\"canvas\"><canvas role=\"img\" aria-label=\"Chart: {}. The table below has the "
      "same figures.\"></canvas></div></figure>\n",
      number, html(title), html(title));
}

std::string Charts::bars(std::string_view title, const ChartAxis& axis, double reference,
                         const std::vector<ChartBar>& bars) {
  if (bars.empty() || embedded::chart_js().empty()) return {};
  nlohmann::json rows = nlohmann::json::array();
  for (const ChartBar& bar : bars) {
    rows.push_back({{"label", readable(bar.label)},
                    {"family", readable(bar.family)},
                    {"x", scaled(bar.value, axis)},
                    {"text", readable(bar.text)}});
  }
  return place(title, {{"kind", "bars"},
                       {"x", axis.title},
                       {"reference", reference * axis.factor},
                       {"rows", std::move(rows)}});
}

std::string Charts::scatter(std::string_view title, const ChartAxis& x, const ChartAxis& y,
                            const std::vector<ChartPoint>& points) {
  if (points.empty() || embedded::chart_js().empty()) return {};
  nlohmann::json rows = nlohmann::json::array();
  for (const ChartPoint& point : points) {
    rows.push_back({{"label", readable(point.label)},
                    {"mark", readable(point.mark)},
                    {"family", readable(point.family)},
                    {"x", scaled(point.x, x)},
                    {"y", scaled(point.y, y)},
                    {"text", readable(point.text)}});
  }
  return place(title,
               {{"kind", "scatter"}, {"x", x.title}, {"y", y.title}, {"rows", std::move(rows)}});
}

}  // namespace qassay
