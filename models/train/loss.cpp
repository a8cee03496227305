#include "models/train/loss.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qassay {
namespace {

struct RowOutcome {
  double loss = 0;
  bool right = false;
};

RowOutcome judge_row(const float* score, std::int64_t classes, std::int64_t label, double smoothing,
                     double count, std::vector<double>& terms, float* slope) {
  const double most = *std::max_element(score, score + classes);
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c)
    sum += terms[static_cast<std::size_t>(c)] = std::exp(score[c] - most);
  const double log_sum = std::log(sum) + most;
  RowOutcome outcome{0, score[label] == static_cast<float>(most)};
  for (std::int64_t c = 0; c < classes; ++c) {
    const double wanted =
        (c == label ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
    outcome.loss += wanted * (log_sum - score[c]);
    slope[c] = static_cast<float>((terms[static_cast<std::size_t>(c)] / sum - wanted) / count);
  }
  return outcome;
}

}  // namespace

Outcome cross_entropy(ConstMatrix scores, std::span<const std::int32_t> labels, double smoothing,
                      Matrix slope) {
  std::vector<RowOutcome> rows(static_cast<std::size_t>(scores.rows));
  const auto count = static_cast<double>(scores.rows);
#pragma omp parallel
  {
    std::vector<double> terms(static_cast<std::size_t>(scores.cols));
#pragma omp for schedule(static)
    for (std::int64_t row = 0; row < scores.rows; ++row) {
      const auto at = static_cast<std::size_t>(row);
      rows[at] = judge_row(scores.row(row), scores.cols, labels[at], smoothing, count, terms,
                           slope.row(row));
    }
  }
  Outcome outcome;
  for (const RowOutcome& row : rows) {
    outcome.loss += row.loss / count;
    outcome.right += (row.right ? 1 : 0) / count;
  }
  return outcome;
}

}  // namespace qassay
