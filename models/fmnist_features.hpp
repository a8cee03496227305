#pragma once

#include <filesystem>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "datasets/image_dataset.hpp"
#include "models/model.hpp"
#include "models/model_cache.hpp"
#include "models/random_features.hpp"

namespace qassay {

/// The first real model: Fashion-MNIST's 784 pixels, 2,048 fixed random ReLU features, 10 classes.
/// models/README.md says how the recipe was chosen.
RandomFeatureRecipe fmnist_features_recipe();

/// Its graph, which needs no fit to be known.
Graph fmnist_features_graph();

/// The model "fmnist-features", fitted on the dataset's training split (a few seconds) or taken
/// from the cache (an empty folder: never kept). Refuses where it would have to fit and the build
/// lacks OpenBLAS. Throws InputError when the training files are missing or changed.
std::variant<CachedModel, Refusal> fmnist_features(const ImageDataset& dataset,
                                                   const std::filesystem::path& cache_folder,
                                                   int threads);

}  // namespace qassay
