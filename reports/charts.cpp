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
    nlohmann::json row = {{"label", readable(bar.label)},
                          {"family", readable(bar.family)},
                          {"x", scaled(bar.value, axis)},
                          {"text", readable(bar.text)}};
    if (bar.band) {
      row["band"] = {{"low", bar.band->low * axis.factor}, {"high", bar.band->high * axis.factor}};
    }
    rows.push_back(std::move(row));
  }
  return place(title, {{"kind", "bars"},
                       {"x", axis.title},
                       {"reference", reference * axis.factor},
                       {"rows", std::move(rows)}});
}

std::string Charts::lines(std::string_view title, const ChartAxis& axis,
                          const std::vector<std::string>& places,
                          const std::vector<ChartLine>& lines) {
  if (lines.empty() || embedded::chart_js().empty()) return {};
  nlohmann::json names = nlohmann::json::array();
  for (const std::string& place : places) names.push_back(readable(place));
  nlohmann::json rows = nlohmann::json::array();
  for (const ChartLine& line : lines) {
    nlohmann::json values = nlohmann::json::array();
    nlohmann::json texts = nlohmann::json::array();
    for (const double value : line.values) values.push_back(value * axis.factor);
    for (const std::string& text : line.texts) texts.push_back(readable(text));
    nlohmann::json intervals = nlohmann::json::array();
    for (const Figure& figure : line.intervals) intervals.push_back(scaled(figure, axis));
    rows.push_back({{"label", readable(line.label)},
                    {"values", std::move(values)},
                    {"intervals", std::move(intervals)},
                    {"texts", std::move(texts)}});
  }
  return place(title, {{"kind", "lines"},
                       {"y", axis.title},
                       {"places", std::move(names)},
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
                    {"text", readable(point.text)},
                    {"frontier", point.frontier}});
  }
  return place(title,
               {{"kind", "scatter"}, {"x", x.title}, {"y", y.title}, {"rows", std::move(rows)}});
}

}  // namespace qassay
