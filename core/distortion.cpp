#include "core/distortion.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace qassay {
namespace {

/// Fewer elements cost less than to start and join threads.
constexpr std::int64_t kOutputsWorthThreads = 50'000;

constexpr Distortion kNothingInCommon{-kMaxSqnrDb, 0, kMaxRelativeError};

struct Sums {
  double signal = 0, got = 0, product = 0, error = 0;

  Sums& operator+=(const Sums& other) {
    signal += other.signal;
    got += other.got;
    product += other.product;
    error += other.error;
    return *this;
  }
};

Sums row_sums(const float* got, const float* reference, std::int64_t n) {
  Sums sums;
  for (std::int64_t i = 0; i < n; ++i) {
    const double g = got[i];
    const double r = reference[i];
    sums += {r * r, g * g, g * r, (g - r) * (g - r)};
  }
  return sums;
}

}  // namespace

Distortion distortion(ConstMatrix got, ConstMatrix reference) {
  if (got.rows != reference.rows || got.cols != reference.cols || got.rows * got.cols == 0) {
    throw std::invalid_argument("distortion: the matrices are empty or have different shapes");
  }
  std::vector<Sums> rows(static_cast<std::size_t>(got.rows));
#pragma omp parallel for schedule(static) if (got.rows * got.cols >= kOutputsWorthThreads)
  for (std::int64_t i = 0; i < got.rows; ++i) {
    rows[static_cast<std::size_t>(i)] = row_sums(got.row(i), reference.row(i), got.cols);
  }
  Sums sums;
  for (const Sums& row : rows) sums += row;

  if (sums.error == 0) return {kMaxSqnrDb, 1, 0};
  if (!std::isfinite(sums.error) || sums.signal == 0) return kNothingInCommon;
  const double ratio = sums.signal / sums.error;
  const double norms = std::sqrt(sums.signal) * std::sqrt(sums.got);
  return {std::clamp(10 * std::log10(ratio), -kMaxSqnrDb, kMaxSqnrDb),
          norms == 0 ? 0.0 : std::clamp(sums.product / norms, -1.0, 1.0),
          std::min(1 / std::sqrt(ratio), kMaxRelativeError)};
}

}  // namespace qassay
