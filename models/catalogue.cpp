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
#include "embedded/gcide_lm_config.hpp"
#include "embedded/gcide_lm_weights.hpp"
#include "models/fmnist_features.hpp"
#include "models/fold.hpp"
#include "models/import/quantized_folder.hpp"
#include "models/linear_algebra.hpp"
#include "models/model_cache.hpp"
#include "models/model_folder.hpp"
#include "models/outliers.hpp"
#include "models/shapes.hpp"

namespace qassay {
namespace {

constexpr const char* kFmnistFeatures = "fmnist-features";
constexpr const char* kFmnistCnn = "fmnist-cnn";
constexpr const char* kGcideLm = "gcide-lm";
constexpr const char* kGcideLmOutliers = "gcide-lm-outliers";

bool is_folder(const std::string& name) { return std::filesystem::is_directory(name); }

bool is_checkpoint(const std::string& name) {
  return std::ranges::count(catalogue_models(), name) == 0 && !is_shape(name) && is_folder(name) &&
         is_quantized_folder(name);
}

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
  throw InputError(
      "model", fmt::format("'{}' is not known and is no folder", name),
      fmt::format("choose from {}, {}, or give shapes for layers with seeded weights",
                  fmt::join(catalogue_models(), ", "), fmt::join(shape_names(), ", ")));
}

std::int64_t parameter_count(const Graph& graph) {
  std::int64_t count = 0;
  for (const ParameterShape& shape : parameter_shapes(graph)) {
    std::int64_t size = 1;
    for (const std::int64_t dim : shape.dims) size *= dim;
    count += size;
  }
  return count;
}

ModelInfo info_of(const std::string& name, const std::string& dataset, const Graph& graph) {
  ModelInfo info{.name = name,
                 .dataset = dataset,
                 .layers = layer_shapes(graph),
                 .parameters = parameter_count(graph),
                 .text = takes_text(graph),
                 .missing = std::nullopt,
                 .checkpoint = std::nullopt};
  if (info.text) {
    info.context = graph.input.width;
    info.vocabulary = vocabulary_of(graph);
  } else {
    info.positions = infer_extents(graph).back().width;
  }
  return info;
}

CheckpointInfo checkpoint_info(const std::map<std::string, QuantMatrix>& layers) {
  CheckpointInfo info{.scheme = layers.begin()->second.scheme, .layers = {}};
  for (const auto& [name, layer] : layers) info.layers.insert(name);
  return info;
}

}  // namespace

std::vector<std::string> catalogue_models() {
  return {kFmnistFeatures, kFmnistCnn, kGcideLm, kGcideLmOutliers};
}

ModelInfo model_info(const std::string& name, std::int64_t context) {
  if (name == kFmnistFeatures) {
    ModelInfo info = info_of(name, "fashion-mnist", fmnist_features_graph());
    info.missing = linear_algebra_missing();
    return info;
  }
  if (is_shape(name)) return info_of(name, "", shape_info(name, context).graph);
  if (is_checkpoint(name)) {
    const QuantizedFolder read = read_quantized_folder(name, context);
    ModelInfo info = info_of(read.model.name, read.model.dataset, read.model.graph);
    info.checkpoint = checkpoint_info(read.layers);
    return info;
  }
  const Model model = load_model(name, 1, context);
  return info_of(model.name, model.dataset, model.graph);
}

Model load_model(const std::string& name, int threads, std::int64_t context) {
  if (name == kFmnistFeatures) return fitted_fmnist_features(threads);
  if (name == kFmnistCnn) return fold_batch_norms(trained_fmnist_cnn());
  if (name == kGcideLm) return trained_gcide_lm();
  if (name == kGcideLmOutliers) return with_outlier_channels(trained_gcide_lm());
  if (is_shape(name)) return shape_model(name, context, 0);
  if (is_checkpoint(name)) return read_quantized_folder(name, context).model;
  if (is_folder(name)) return fold_batch_norms(load_model_folder(name, context));
  refuse(name);
}

}  // namespace qassay
