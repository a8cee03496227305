#include "models/fmnist_features.hpp"

#include <fmt/format.h>

#include "models/linear_algebra.hpp"

namespace qassay {
namespace {

constexpr const char* kName = "fmnist-features";
/// Raised with every change of the code that changes the fitted weights.
constexpr int kFitVersion = 1;

/// Carries a Refusal out of the cache's callback.
struct CannotFit {
  Refusal refusal;
};

}  // namespace

RandomFeatureRecipe fmnist_features_recipe() {
  return {.features = 2048, .bias_deviation = 0.25, .ridge = 1e-3, .seed_name = kName};
}

Graph fmnist_features_graph() {
  const Manifest dataset = find_manifest("fashion-mnist");
  return random_feature_graph(fmnist_features_recipe(), dataset.height * dataset.width,
                              dataset.classes);
}

std::variant<CachedModel, Refusal> fmnist_features(const ImageDataset& dataset,
                                                   const std::filesystem::path& cache_folder,
                                                   int threads) {
  const RandomFeatureRecipe recipe = fmnist_features_recipe();
  const std::string key = fmt::format("{} fit {} training {} {}", kName, kFitVersion,
                                      dataset.hash(Split::train), recipe.key());
  try {
    return cached_model(cache_folder, kName, key, [&] {
      if (auto refusal = linear_algebra_missing()) throw CannotFit{*refusal};
      return fit_random_features(kName, dataset.training(), recipe, threads);
    });
  } catch (const CannotFit& reason) {
    return reason.refusal;
  }
}

}  // namespace qassay
