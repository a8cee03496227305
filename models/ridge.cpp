#include "models/ridge.hpp"

#include <numeric>

#include "models/linear_algebra.hpp"

namespace qassay {

RidgeRegression::RidgeRegression(std::int64_t features, std::int64_t classes)
    : features_(features),
      classes_(classes),
      gram_(static_cast<std::size_t>(features * features)),
      class_sums_(static_cast<std::size_t>(classes * features)),
      class_count_(static_cast<std::size_t>(classes)) {}

void RidgeRegression::add(ConstMatrix z, std::span<const std::uint8_t> labels, int threads) {
  add_gram(z, {gram_.data(), features_, features_}, threads);
  for (std::int64_t row = 0; row < z.rows; ++row) {
    const std::uint8_t label = labels[static_cast<std::size_t>(row)];
    class_count_[label] += 1;
    double* sums = class_sums_.data() + label * features_;
    for (std::int64_t i = 0; i < features_; ++i) sums[i] += z.row(row)[i];
  }
}

RidgeRegression::Solution RidgeRegression::solve(double ridge) const {
  const double count = std::accumulate(class_count_.begin(), class_count_.end(), 0.0);
  std::vector<double> mean(static_cast<std::size_t>(features_));
  for (std::size_t i = 0; i < class_sums_.size(); ++i) {
    mean[i % mean.size()] += class_sums_[i] / count;
  }

  // Features are centred, so that the intercept leaves the equations.
  std::vector<double> covariance = gram_;
  const MatrixView<double> a(covariance.data(), features_, features_);
  double trace = 0;
  for (std::int64_t i = 0; i < features_; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      a.row(i)[j] -= count * mean[static_cast<std::size_t>(i)] * mean[static_cast<std::size_t>(j)];
    }
    trace += a.row(i)[i];
  }
  for (std::int64_t i = 0; i < features_; ++i) {
    a.row(i)[i] += ridge * trace / static_cast<double>(features_);
  }

  std::vector<double> weights = class_sums_;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] -= class_count_[i / mean.size()] * mean[i % mean.size()];
  }
  solve_positive_definite(a, {weights.data(), classes_, features_});

  Solution solution;
  solution.weights.assign(weights.begin(), weights.end());
  for (std::size_t c = 0; c < class_count_.size(); ++c) {
    solution.bias.push_back(static_cast<float>(
        class_count_[c] / count -
        std::inner_product(mean.begin(), mean.end(),
                           weights.begin() + static_cast<std::ptrdiff_t>(c * mean.size()), 0.0)));
  }
  return solution;
}

}  // namespace qassay
