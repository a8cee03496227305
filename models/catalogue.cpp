#include "models/catalogue.hpp"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "datasets/image_dataset.hpp"
#include "models/fmnist_features.hpp"
#include "models/linear_algebra.hpp"
#include "models/model_cache.hpp"

namespace qassay {
namespace {

constexpr std::string_view kFmnistFeatures = "fmnist-features";

void require(std::string_view name) {
  if (is_model(name)) return;
  throw InputError(
      "model", fmt::format("'{}' is not known", name),
      fmt::format("choose {}, or give shapes for layers with seeded weights", kFmnistFeatures));
}

}  // namespace

std::vector<std::string> catalogue_models() { return {std::string(kFmnistFeatures)}; }

bool is_model(std::string_view name) { return name == kFmnistFeatures; }

std::vector<LayerShape> model_layers(std::string_view name) {
  require(name);
  return fmnist_features_layers();
}

std::string model_dataset(std::string_view name) {
  require(name);
  return "fashion-mnist";
}

std::optional<Refusal> unavailable(std::string_view name) {
  require(name);
  return linear_algebra_missing();
}

Model load_catalogue_model(std::string_view name, int threads) {
  auto made = fmnist_features(find_dataset(model_dataset(name)), default_cache_folder(), threads);
  if (const auto* refusal = std::get_if<Refusal>(&made)) {
    throw InputError(name, refusal->reason, "build with OpenBLAS");
  }
  return std::get<CachedModel>(std::move(made)).model;
}

}  // namespace qassay
