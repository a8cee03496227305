#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/classification_set.hpp"
#include "models/model.hpp"

namespace qassay {

/// A classifier of two layers, of which the first is drawn and not learned (random features: Rahimi
/// and Recht 2007; with a ridge regression behind: Huang et al. 2006, "extreme learning machine"):
///
///   z = relu(W (x - mean) / s + b)    W: normal(0, 1); s^2: the summed variance of the inputs, so
///                                     that relu's argument has a deviation of about 1 before b;
///                                     b: normal(0, bias_deviation)
///   y = V z + c                       models/ridge.hpp
///
/// mean and s are the training set's and are folded into the first layer.
struct RandomFeatureRecipe {
  std::int64_t features = 2048;
  double bias_deviation = 0;
  double ridge = 0;
  std::string seed_name;

  /// All of it as text: part of a cached model's key.
  std::string key() const;
};

/// The first layer, "features".
Layer random_feature_layer(const TrainingSet& training, const RandomFeatureRecipe& recipe);

/// Linear, relu, linear, on vectors.
Graph random_feature_graph(const RandomFeatureRecipe& recipe, std::int64_t features,
                           std::int64_t classes);

/// z[rows, n], the layer's outputs after the relu, of samples first .. first + rows - 1 of a set.
/// Needs linear algebra.
std::vector<float> layer_outputs(const Layer& layer, const ClassificationSet& set,
                                 std::int64_t first, std::int64_t rows, int threads);

/// Both layers, "features" and "classes". Equal bits for equal arguments on one kind of CPU,
/// whatever `threads` is. Needs linear algebra (models/linear_algebra.hpp).
Model fit_random_features(std::string_view name, const TrainingSet& training,
                          const RandomFeatureRecipe& recipe, int threads);

}  // namespace qassay
