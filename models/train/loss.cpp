#include "models/train/loss.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qassay {

double cross_entropy(ConstMatrix scores, std::span<const std::uint8_t> labels, double smoothing,
                     Matrix slope) {
  const auto classes = static_cast<double>(scores.cols);
  const auto count = static_cast<double>(scores.rows);
  std::vector<double> terms(static_cast<std::size_t>(scores.cols));
  double loss = 0;
  for (std::int64_t row = 0; row < scores.rows; ++row) {
    const float* const score = scores.row(row);
    const double most = *std::max_element(score, score + scores.cols);
    double sum = 0;
    for (std::int64_t c = 0; c < scores.cols; ++c)
      sum += terms[static_cast<std::size_t>(c)] = std::exp(score[c] - most);
    const double log_sum = std::log(sum) + most;
    for (std::int64_t c = 0; c < scores.cols; ++c) {
      const bool is_label = c == labels[static_cast<std::size_t>(row)];
      const double wanted = (is_label ? 1 - smoothing : 0) + smoothing / classes;
      loss += wanted * (log_sum - score[c]);
      slope.row(row)[c] =
          static_cast<float>((terms[static_cast<std::size_t>(c)] / sum - wanted) / count);
    }
  }
  return loss / count;
}

}  // namespace qassay
