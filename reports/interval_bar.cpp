#include "reports/interval_bar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "reports/figure.hpp"
#include "reports/html.hpp"
#include "reports/words.hpp"

namespace qassay {
namespace {

constexpr double kWidth = 200;
constexpr double kHeight = 26;
constexpr double kMargin = 8;      // keeps dots at the ends inside
constexpr double kThinnest = 2.5;  // a band that is a point is still seen

}  // namespace

BarAxis bar_axis(std::span<const VerdictRow* const> rows) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const auto cover = [&](double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const VerdictRow* row : rows) {
    cover(row->claimed_low);
    cover(row->claimed_high);
    if (!has_figure(*row)) continue;
    for (const double value : {row->estimate, row->low, row->high}) cover(value);
  }
  if (!(low < high)) return std::isfinite(low) ? BarAxis{low - 1, low + 1} : BarAxis{};
  return {low, high};
}

std::string interval_bar(const VerdictRow& row, const BarAxis& axis) {
  const auto x = [&](double value) {
    const double share = (value - axis.low) / (axis.high - axis.low);
    return kMargin + (kWidth - 2 * kMargin) * std::clamp(share, 0.0, 1.0);
  };
  const double band_low = std::isfinite(row.claimed_low) ? x(row.claimed_low) : 0;
  const double band_high = std::isfinite(row.claimed_high) ? x(row.claimed_high) : kWidth;
  const double band = std::max(band_high - band_low, kThinnest);
  const double middle = kHeight / 2;

  std::string label =
      fmt::format("claimed {}", range_text(row.claimed_low, row.claimed_high, row.unit));
  std::string marks;
  if (has_figure(row)) {
    label = fmt::format("{}: {}, {}", row.kind,
                        figure_text({row.estimate, row.low, row.high}, row.unit), label);
    marks = fmt::format(
        "<path class=\"whisker\" d=\"M{0:.1f} {2}H{1:.1f}M{0:.1f} {3}v8M{1:.1f} {3}v8\"/>"
        "<circle class=\"dot\" cx=\"{4:.1f}\" cy=\"{2}\" r=\"4\"/>",
        x(std::isfinite(row.low) ? row.low : row.estimate),
        x(std::isfinite(row.high) ? row.high : row.estimate), middle, middle - 4, x(row.estimate));
  }
  return fmt::format(
      "<svg class=\"bar {}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">"
      "<path class=\"axis\" d=\"M0 {}H{}\"/>"
      "<rect class=\"band\" x=\"{:.1f}\" y=\"4\" width=\"{:.1f}\" height=\"{}\" rx=\"2\"/>{}</svg>",
      row.kind == "measured" ? "measured" : "computed", kWidth, kHeight, html(label), middle,
      kWidth, band_low - (band - (band_high - band_low)) / 2, band, kHeight - 8, marks);
}

}  // namespace qassay
