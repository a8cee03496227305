#include "models/random_features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/seed.hpp"
#include "models/linear_algebra.hpp"
#include "models/ridge.hpp"

namespace qassay {
namespace {

/// Samples per step of the fit. Part of the result: it orders the sums.
constexpr std::int64_t kBatch = 1000;

struct InputStatistics {
  std::vector<double> mean;    // of each input, in [0, 1]
  double summed_variance = 0;  // over the inputs
};

/// From integer sums, which are exact in any order.
InputStatistics input_statistics(const ClassificationSet& set) {
  const auto features = static_cast<std::size_t>(set.features);
  std::vector<std::uint64_t> sums(features);
  std::vector<std::uint64_t> squares(features);
  for (std::size_t i = 0; i < set.pixels.size(); ++i) {
    const std::uint64_t pixel = set.pixels[i];
    sums[i % features] += pixel;
    squares[i % features] += pixel * pixel;
  }
  InputStatistics statistics;
  const auto count = static_cast<double>(set.count);
  for (std::size_t i = 0; i < features; ++i) {
    const double mean = static_cast<double>(sums[i]) / count / 255.0;
    statistics.mean.push_back(mean);
    statistics.summed_variance +=
        static_cast<double>(squares[i]) / count / (255.0 * 255.0) - mean * mean;
  }
  return statistics;
}

}  // namespace

std::string RandomFeatureRecipe::key() const {
  return fmt::format("features {} bias_deviation {} ridge {} batch {} seed {}", features,
                     bias_deviation, ridge, kBatch, seed_name);
}

LinearLayer random_feature_layer(const TrainingSet& training, const RandomFeatureRecipe& recipe) {
  const InputStatistics inputs = input_statistics(training);
  LinearLayer layer;
  layer.name = "features";
  layer.n = recipe.features;
  layer.k = training.features;
  layer.relu = true;
  layer.weights.resize(static_cast<std::size_t>(layer.n * layer.k));
  layer.bias.resize(static_cast<std::size_t>(layer.n));
  fill_normal(layer.weights, seed_from_name(recipe.seed_name + "/weights"),
              static_cast<float>(1.0 / std::sqrt(inputs.summed_variance)));
  fill_normal(layer.bias, seed_from_name(recipe.seed_name + "/bias"),
              static_cast<float>(recipe.bias_deviation));
  const float* weights = layer.weights.data();
  for (float& bias : layer.bias) {
    double shift = 0;
    for (const double mean : inputs.mean) shift += mean * *weights++;
    bias = static_cast<float>(bias - shift);
  }
  return layer;
}

std::vector<float> layer_outputs(const LinearLayer& layer, const ClassificationSet& set,
                                 std::int64_t first, std::int64_t rows, int threads) {
  std::vector<float> inputs(static_cast<std::size_t>(rows * layer.k));
  std::vector<float> outputs(static_cast<std::size_t>(rows * layer.n));
  const Matrix x(inputs.data(), rows, layer.k);
  const Matrix z(outputs.data(), rows, layer.n);
  fill_batch(set, first, x);
  multiply_transposed(x, ConstMatrix(layer.weights.data(), layer.n, layer.k), z, threads);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < layer.n; ++i) {
      const float value = z.row(row)[i] + layer.bias[static_cast<std::size_t>(i)];
      z.row(row)[i] = layer.relu ? std::max(value, 0.0F) : value;
    }
  }
  return outputs;
}

Model fit_random_features(std::string_view name, const TrainingSet& training,
                          const RandomFeatureRecipe& recipe, int threads) {
  LinearLayer features = random_feature_layer(training, recipe);
  RidgeRegression regression(recipe.features, training.classes);
  const std::span<const std::uint8_t> labels(training.labels);
  for (std::int64_t first = 0; first < training.count; first += kBatch) {
    const std::int64_t rows = std::min(kBatch, training.count - first);
    const std::vector<float> z = layer_outputs(features, training, first, rows, threads);
    regression.add({z.data(), rows, recipe.features},
                   labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)),
                   threads);
  }
  RidgeRegression::Solution solution = regression.solve(recipe.ridge);
  LinearLayer classes{.name = "classes",
                      .n = training.classes,
                      .k = recipe.features,
                      .weights = std::move(solution.weights),
                      .bias = std::move(solution.bias),
                      .relu = false};
  return {std::string(name), {std::move(features), std::move(classes)}};
}

}  // namespace qassay
