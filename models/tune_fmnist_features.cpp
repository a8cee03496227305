// How the recipe of fmnist-features was chosen: fits on the first 50,000 training images and prints
// the top-1 accuracy on the other 10,000 training images. The test images are not opened.
//
//   cmake --build --preset dev --target tune_fmnist_features && build/dev/tune_fmnist_features

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "datasets/image_dataset.hpp"
#include "datasets/scoring.hpp"
#include "models/fmnist_features.hpp"
#include "models/random_features.hpp"
#include "models/ridge.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kHeldOut = 10'000;
constexpr std::int64_t kBatch = 1000;
constexpr int kThreads = 2;
constexpr double kBiasDeviations[] = {0.0, 0.25, 0.5, 1.0, 2.0};
constexpr double kRidges[] = {1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2};

TrainingSet part(const TrainingSet& all, std::int64_t first, std::int64_t count) {
  TrainingSet set;
  set.count = count;
  set.features = all.features;
  set.classes = all.classes;
  const auto pixel = all.pixels.begin() + first * all.features;
  const auto label = all.labels.begin() + first;
  set.pixels.assign(pixel, pixel + count * all.features);
  set.labels.assign(label, label + count);
  return set;
}

void try_bias_deviation(double bias_deviation, const TrainingSet& fit,
                        const TrainingSet& held_out) {
  RandomFeatureRecipe recipe = fmnist_features_recipe();
  recipe.bias_deviation = bias_deviation;
  const Layer layer = random_feature_layer(fit, recipe);
  RidgeRegression regression(recipe.features, fit.classes);
  for (std::int64_t first = 0; first < fit.count; first += kBatch) {
    const std::vector<float> z = layer_outputs(layer, fit, first, kBatch, kThreads);
    regression.add({z.data(), kBatch, layer.shape.n}, std::span(fit.labels).subspan(first, kBatch),
                   kThreads);
  }
  const std::vector<float> z = layer_outputs(layer, held_out, 0, held_out.count, kThreads);
  for (const double ridge : kRidges) {
    const RidgeRegression::Solution solution = regression.solve(ridge);
    std::vector<std::uint8_t> predictions;
    std::vector<float> y(static_cast<std::size_t>(fit.classes));
    for (std::int64_t row = 0; row < held_out.count; ++row) {
      for (std::int64_t c = 0; c < fit.classes; ++c) {
        double sum = solution.bias[static_cast<std::size_t>(c)];
        for (std::int64_t i = 0; i < layer.shape.n; ++i) {
          sum += solution.weights[static_cast<std::size_t>(c * layer.shape.n + i)] *
                 z[static_cast<std::size_t>(row * layer.shape.n + i)];
        }
        y[static_cast<std::size_t>(c)] = static_cast<float>(sum);
      }
      predictions.push_back(predict(ConstMatrix(y.data(), 1, fit.classes)).front());
    }
    fmt::print("bias_deviation {:<5} ridge {:<8} held-out top-1 {:.4f}\n", bias_deviation, ridge,
               top1(predictions, held_out.labels));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace qassay

int main() try {
  using namespace qassay;
  const TrainingSet training = find_dataset("fashion-mnist").training();
  const TrainingSet fit = part(training, 0, training.count - kHeldOut);
  const TrainingSet held_out = part(training, fit.count, kHeldOut);
  for (const double bias_deviation : kBiasDeviations) {
    try_bias_deviation(bias_deviation, fit, held_out);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 2;
}
