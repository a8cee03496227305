#include "core/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/extremes.hpp"

namespace qassay {
namespace {

constexpr double kMostlyZero = 0.3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double difference(const Comparison::Element& element) {
  return std::fabs(element.got - element.expected);
}

/// Written so that a NaN in any place answers no.
bool agrees(const Comparison::Element& element) {
  if (element.got == element.expected) return true;
  const double apart = difference(element);
  return std::isfinite(apart) && std::isfinite(element.limit) && apart <= element.limit;
}

/// Orders elements from the best to the worst: by the used share of the limit, then (where the
/// limit is 0) by the difference.
std::pair<double, double> badness(const Comparison::Element& element) {
  if (element.got == element.expected) return {0, 0};
  const double apart = difference(element);
  if (!std::isfinite(apart) || !std::isfinite(element.limit)) return {kInfinity, kInfinity};
  return {apart / element.limit, apart};
}

std::vector<double> row_norms(ConstMatrix matrix) {
  std::vector<double> norms;
  norms.reserve(static_cast<std::size_t>(matrix.rows));
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const float* row = matrix.row(i);
    double squares = 0;
    for (std::int64_t j = 0; j < matrix.cols; ++j) {
      const double value = row[j];
      squares += value * value;
    }
    norms.push_back(std::sqrt(squares));
  }
  return norms;
}

/// Bounds of the sums of |x_i| |w_j|, m * n values.
std::vector<double> sums_by_norms(ConstMatrix x, ConstMatrix w) {
  if (x.cols != w.cols) throw std::invalid_argument("limits of a product: x and w differ in k");
  const std::vector<double> w_norms = row_norms(w);
  std::vector<double> sums;
  sums.reserve(static_cast<std::size_t>(x.rows * w.rows));
  for (const double x_norm : row_norms(x)) {
    for (const double w_norm : w_norms) sums.push_back(x_norm * w_norm);
  }
  return sums;
}

}  // namespace

double Comparison::zero_share() const {
  return elements == 0 ? 0.0 : static_cast<double>(zeros) / static_cast<double>(elements);
}

bool Comparison::mostly_zero() const { return zero_share() > kMostlyZero; }

std::string Comparison::describe() const {
  if (elements == 0) return "nothing was compared";
  const std::string at =
      fmt::format("at row {}, column {}: got {:.9g}, expected {:.9g}, limit {:.3g}", worst.row,
                  worst.col, worst.got, worst.expected, worst.limit);
  if (mismatches > 0) return fmt::format("{} of {} differ, worst {}", mismatches, elements, at);
  if (mostly_zero()) {
    return fmt::format("all {} agree, but {:.0f} % of them are zero", elements, 100 * zero_share());
  }
  return fmt::format("all {} agree, nearest to its limit {}", elements, at);
}

Comparison compare(ConstMatrix got, ConstMatrix expected, const Limits& limits) {
  const bool has_per_element = limits.per_element.data != nullptr;
  if (got.rows != expected.rows || got.cols != expected.cols ||
      (has_per_element &&
       (limits.per_element.rows != got.rows || limits.per_element.cols != got.cols))) {
    throw std::invalid_argument("compare: the matrices have different shapes");
  }
  Comparison result;
  result.elements = got.rows * got.cols;
  std::pair<double, double> worst{-1, 0};
  for (std::int64_t i = 0; i < got.rows; ++i) {
    for (std::int64_t j = 0; j < got.cols; ++j) {
      Comparison::Element element{i, j, got.row(i)[j], expected.row(i)[j], limits.absolute};
      element.limit += limits.relative * std::fabs(element.expected);
      if (has_per_element) element.limit += limits.per_element.row(i)[j];
      if (element.got == 0) ++result.zeros;
      if (!agrees(element)) ++result.mismatches;
      if (const auto bad = badness(element); bad > worst) {
        worst = bad;
        result.worst = element;
      }
    }
  }
  return result;
}

double dot_product_limit(std::int64_t k, double sum_of_magnitudes, double unit_roundoff) {
  const double ku = static_cast<double>(k) * unit_roundoff;
  return ku < 1 ? ku / (1 - ku) * sum_of_magnitudes : kInfinity;
}

std::vector<double> dot_product_limits(ConstMatrix x, ConstMatrix w, double input_roundoff) {
  std::vector<double> limits = sums_by_norms(x, w);
  for (double& limit : limits) limit = dot_product_limit(x.cols, limit) + input_roundoff * limit;
  return limits;
}

std::vector<double> fine_code_limits(ConstMatrix x, ConstMatrix w, std::int64_t block) {
  const std::vector<float> largest = block_largest(x, block);
  std::vector<double> limits = sums_by_norms({largest.data(), x.rows, x.cols}, w);
  for (double& limit : limits) limit *= kFineCodeRoundoff;
  return limits;
}

std::vector<float> block_largest(ConstMatrix x, std::int64_t block) {
  std::vector<float> all;
  all.reserve(static_cast<std::size_t>(x.rows * x.cols));
  for (std::int64_t row = 0; row < x.rows; ++row) {
    for (std::int64_t begin = 0; begin < x.cols; begin += block) {
      const std::int64_t count = std::min(block, x.cols - begin);
      all.insert(all.end(), static_cast<std::size_t>(count),
                 largest_magnitude(x.row(row) + begin, count));
    }
  }
  return all;
}

std::vector<float> unsigned_magnitudes(const QuantMatrix& weights) {
  std::vector<float> magnitudes;
  magnitudes.reserve(weights.codes.size());
  for (std::int64_t row = 0; row < weights.n; ++row) {
    for (std::int64_t col = 0; col < weights.k; ++col) {
      const std::size_t scale = weights.scale_index(row, col);
      magnitudes.push_back(std::fabs(weights.value(row, col)) +
                           static_cast<float>(weights.zero_point(scale)) * weights.scales[scale]);
    }
  }
  return magnitudes;
}

}  // namespace qassay
