#include "models/catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>
#include <variant>

#include "datasets/image_dataset.hpp"
#include "embedded/fmnist_cnn_config.hpp"
#include "embedded/fmnist_cnn_weights.hpp"
#include "models/fmnist_features.hpp"
#include "models/fold.hpp"
#include "models/linear_algebra.hpp"
#include "models/model_cache.hpp"
#include "models/model_folder.hpp"

namespace qassay {
namespace {

constexpr const char* kFmnistFeatures = "fmnist-features";
constexpr const char* kFmnistCnn = "fmnist-cnn";

bool is_folder(const std::string& name) { return std::filesystem::is_directory(name); }

Model trained_fmnist_cnn() {
  return parse_model(embedded::fmnist_cnn_config(),
                     std::as_bytes(std::span(embedded::fmnist_cnn_weights())), kFmnistCnn);
}

Model fitted_fmnist_features(int threads) {
  auto made = fmnist_features(find_dataset("fashion-mnist"), default_cache_folder(), threads);
  if (const auto* refusal = std::get_if<Refusal>(&made)) {
    throw InputError(kFmnistFeatures, refusal->reason, "build with OpenBLAS");
  }
  return std::get<CachedModel>(std::move(made)).model;
}

[[noreturn]] void refuse(const std::string& name) {
  throw InputError("model", fmt::format("'{}' is not known and is no folder", name),
                   fmt::format("choose from {}, or give shapes for layers with seeded weights",
                               fmt::join(catalogue_models(), ", ")));
}

ModelInfo info_of(const Model& model) {
  return {model.name, model.dataset, layer_shapes(model.graph), std::nullopt};
}

}  // namespace

std::vector<std::string> catalogue_models() { return {kFmnistFeatures, kFmnistCnn}; }

bool is_model(const std::string& name) {
  return std::ranges::count(catalogue_models(), name) > 0 || is_folder(name);
}

ModelInfo model_info(const std::string& name) {
  if (name == kFmnistFeatures) {
    return {name, "fashion-mnist", layer_shapes(fmnist_features_graph()), linear_algebra_missing()};
  }
  return info_of(load_model(name, 1));
}

Model load_model(const std::string& name, int threads) {
  if (name == kFmnistFeatures) return fitted_fmnist_features(threads);
  if (name == kFmnistCnn) return fold_batch_norms(trained_fmnist_cnn());
  if (is_folder(name)) return fold_batch_norms(load_model_folder(name));
  refuse(name);
}

}  // namespace qassay
