#include "models/catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>
#include <variant>

#include "datasets/dictionary.hpp"
#include "datasets/image_dataset.hpp"
#include "embedded/fmnist_cnn_config.hpp"
#include "embedded/fmnist_cnn_weights.hpp"
#include "embedded/gcide_lm_config.hpp"
#include "embedded/gcide_lm_weights.hpp"
#include "models/fmnist_features.hpp"
#include "models/fold.hpp"
#include "models/linear_algebra.hpp"
#include "models/model_cache.hpp"
#include "models/model_folder.hpp"

namespace qassay {
namespace {

constexpr const char* kFmnistFeatures = "fmnist-features";
constexpr const char* kFmnistCnn = "fmnist-cnn";
constexpr const char* kGcideLm = "gcide-lm";

bool is_folder(const std::string& name) { return std::filesystem::is_directory(name); }

Model trained_fmnist_cnn() {
  return parse_model(embedded::fmnist_cnn_config(),
                     std::as_bytes(std::span(embedded::fmnist_cnn_weights())), kFmnistCnn);
}

Model trained_gcide_lm() {
  return parse_model(embedded::gcide_lm_config(),
                     std::as_bytes(std::span(embedded::gcide_lm_weights())), kGcideLm);
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

std::optional<Refusal> text_missing(const std::string& dataset) {
  if (dataset.empty()) return Refusal{"it names no text to be evaluated on"};
  return dictionary_missing(dataset);
}

ModelInfo info_of(const Model& model) {
  const bool text = takes_text(model.graph);
  return {.name = model.name,
          .dataset = model.dataset,
          .layers = layer_shapes(model.graph),
          .text = text,
          .context = text ? model.graph.input.width : 0,
          .missing = text ? text_missing(model.dataset) : std::nullopt};
}

}  // namespace

std::vector<std::string> catalogue_models() { return {kFmnistFeatures, kFmnistCnn, kGcideLm}; }

bool is_model(const std::string& name) {
  return std::ranges::count(catalogue_models(), name) > 0 || is_folder(name);
}

ModelInfo model_info(const std::string& name, std::int64_t context) {
  if (name == kFmnistFeatures) {
    return {.name = name,
            .dataset = "fashion-mnist",
            .layers = layer_shapes(fmnist_features_graph()),
            .missing = linear_algebra_missing()};
  }
  return info_of(load_model(name, 1, context));
}

Model load_model(const std::string& name, int threads, std::int64_t context) {
  if (name == kFmnistFeatures) return fitted_fmnist_features(threads);
  if (name == kFmnistCnn) return fold_batch_norms(trained_fmnist_cnn());
  if (name == kGcideLm) return trained_gcide_lm();
  if (is_folder(name)) return fold_batch_norms(load_model_folder(name, context));
  refuse(name);
}

}  // namespace qassay
