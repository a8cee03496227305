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
constexpr const char* kFeatures = "features";

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

Layer random_feature_layer(const TrainingSet& training, const RandomFeatureRecipe& recipe) {
  const InputStatistics inputs = input_statistics(training);
  Layer layer{
      .shape = {.name = kFeatures, .n = recipe.features, .k = training.features, .bias = true},
      .weights = {},
      .bias = {}};
  layer.weights.resize(static_cast<std::size_t>(layer.shape.n * layer.shape.k));
  layer.bias.resize(static_cast<std::size_t>(layer.shape.n));
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

Graph random_feature_graph(const RandomFeatureRecipe& recipe, std::int64_t features,
                           std::int64_t classes) {
  return {.input = {1, 1, features},
          .nodes = {{kFeatures, Linear{.outputs = recipe.features}, {0}},
                    {"relu", Relu{}, {1}},
                    {"classes", Linear{.outputs = classes}, {2}}}};
}

std::vector<float> layer_outputs(const Layer& layer, const ClassificationSet& set,
                                 std::int64_t first, std::int64_t rows, int threads) {
  std::vector<float> inputs(static_cast<std::size_t>(rows * layer.shape.k));
  std::vector<float> outputs(static_cast<std::size_t>(rows * layer.shape.n));
  const Matrix x(inputs.data(), rows, layer.shape.k);
  const Matrix z(outputs.data(), rows, layer.shape.n);
  fill_batch(set, first, x);
  multiply_transposed(x, layer.matrix(), z, threads);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < layer.shape.n; ++i) {
      z.row(row)[i] = std::max(z.row(row)[i] + layer.bias[static_cast<std::size_t>(i)], 0.0F);
    }
  }
  return outputs;
}

Model fit_random_features(std::string_view name, const TrainingSet& training,
                          const RandomFeatureRecipe& recipe, int threads) {
  Layer features = random_feature_layer(training, recipe);
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
  Model model{.name = std::string(name),
              .dataset = training.name.substr(0, training.name.find('/')),
              .graph = random_feature_graph(recipe, training.features, training.classes),
              .parameters = {}};
  const auto set = [&](const char* parameter, std::vector<std::int64_t> dims,
                       std::vector<float> values) {
    model.parameters[parameter] = {std::move(dims), std::move(values)};
  };
  set("features.weight", {recipe.features, training.features}, std::move(features.weights));
  set("features.bias", {recipe.features}, std::move(features.bias));
  set("classes.weight", {training.classes, recipe.features}, std::move(solution.weights));
  set("classes.bias", {training.classes}, std::move(solution.bias));
  return model;
}

}  // namespace qassay
