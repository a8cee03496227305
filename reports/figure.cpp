#include "reports/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace qassay {
namespace {

constexpr int kDigits = 4;  // more would claim a precision that no timing has

struct Display {
  double factor = 1;
  std::string suffix;  // with its space, if any
};

Display decimal_of(std::string_view unit, double size) {
  if (size < 1e9) return {1e-6, fmt::format(" M{}", unit)};
  if (size < 1e12) return {1e-9, fmt::format(" G{}", unit)};
  return {1e-12, fmt::format(" T{}", unit)};
}

Display display_of(std::string_view unit, double value) {
  const double size = std::abs(value);
  if (unit == "B/s") return decimal_of(unit, size);
  if (unit == "op/s") return decimal_of("OP/s", size);
  if (unit == "s" || unit == "seconds") {
    if (size < 1e-6) return {1e9, " ns"};
    if (size < 1e-3) return {1e6, " µs"};
    if (size < 1) return {1e3, " ms"};
    return {1, " s"};
  }
  if (unit == "nats") {
    if (size < 1e-3) return {1e6, " µnats"};
    if (size < 1) return {1e3, " mnats"};
    return {1, " nats"};
  }
  if (unit == "bytes" || unit == "B") {
    if (size < 1024.0) return {1, " B"};
    if (size < 1024.0 * 1024) return {1 / 1024.0, " KiB"};
    if (size < 1024.0 * 1024 * 1024) return {1 / 1024.0 / 1024, " MiB"};
    return {1 / 1024.0 / 1024 / 1024, " GiB"};
  }
  if (unit == "ratio" || unit == "x" || unit == "times") return {1, "×"};
  if (unit == "percent" || unit == "%") return {1, " %"};
  if (unit == "fraction") return {100, " %"};
  if (unit.empty()) return {1, ""};
  return {1, fmt::format(" {}", unit)};
}

/// Place of the first digit: 0 for 1...9.99, 1 for 10...99.9, -1 for 0.1...0.99.
int magnitude(double value) {
  return value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(value))));
}

/// Decimals that an uncertainty of this size leaves: two of its digits when it begins with 1, since
/// rounding would change it much, else one.
int decimals_of(double half_width) {
  const int place = magnitude(half_width);
  constexpr double kRoundsToTwo = 1.95;
  return (half_width < kRoundsToTwo * std::pow(10, place) ? 1 : 0) - place;
}

std::string fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", std::abs(value), decimals);
  const bool zero = text.find_first_not_of("0.") == text.npos;
  return value < 0 && !zero ? "−" + text : text;
}

std::string without_trailing_zeros(std::string text) {
  if (text.find('.') == text.npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string exact_text(double value) {
  return without_trailing_zeros(fixed(value, std::max(0, kDigits - 1 - magnitude(value))));
}

}  // namespace

std::string figure_text(const Figure& figure, std::string_view unit) {
  if (!std::isfinite(figure.value)) return "–";
  const Display display = display_of(unit, figure.value);
  const double value = figure.value * display.factor;
  if (figure.exact() || !std::isfinite(figure.low) || !std::isfinite(figure.high)) {
    return exact_text(value) + display.suffix;
  }
  const double low = figure.low * display.factor;
  const double high = figure.high * display.factor;
  const double largest = std::max({std::abs(value), std::abs(low), std::abs(high)});
  const int decimals =
      std::clamp(decimals_of((high - low) / 2), 0, std::max(0, kDigits - 1 - magnitude(largest)));
  return fmt::format("{}{} ({}{}{})", fixed(value, decimals), display.suffix, fixed(low, decimals),
                     low < 0 ? " to " : "–", fixed(high, decimals));
}

std::string range_text(double low, double high, std::string_view unit) {
  const bool from = std::isfinite(low);
  const bool to = std::isfinite(high);
  if (!from && !to) return "any";
  const Display display = display_of(unit, to ? high : low);
  const auto text = [&](double value) { return exact_text(value * display.factor); };
  if (!from) return fmt::format("at most {}{}", text(high), display.suffix);
  if (!to) return fmt::format("at least {}{}", text(low), display.suffix);
  if (low == high) return text(low) + display.suffix;
  return fmt::format("{}{}{}{}", text(low), low < 0 ? " to " : "–", text(high), display.suffix);
}

std::string span_text(double least, double most, std::string_view unit) {
  constexpr int kSpanDigits = 3;
  const double largest = std::max(std::abs(least), std::abs(most));
  const Display display = display_of(unit, largest);
  const int decimals = std::max(0, kSpanDigits - 1 - magnitude(largest * display.factor));
  const std::string low = fixed(least * display.factor, decimals);
  const std::string high = fixed(most * display.factor, decimals);
  if (low == high) return low + display.suffix;
  return fmt::format("{}{}{}{}", low, least < 0 ? " to " : "–", high, display.suffix);
}

std::string percent_text(double fraction) {
  return figure_text({fraction, fraction, fraction}, "fraction");
}

}  // namespace qassay
