#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/scheme.hpp"
#include "models/model.hpp"

namespace qassay {

/// The models that the program knows by name. A user's own is a folder (models/model_folder.hpp,
/// also in the layout of Hugging Face), whose path stands in place of a name wherever one is taken.
std::vector<std::string> catalogue_models();

/// What others have quantized of a model (models/import/quantized_folder.hpp).
struct CheckpointInfo {
  Scheme scheme;                 // of the weights
  std::set<std::string> layers;  // that have it; the others are in floating point
};

/// What a plan needs to know of a model.
struct ModelInfo {
  std::string name;
  std::string dataset;             // that it is evaluated on
  std::vector<LayerShape> layers;  // with batch norms folded
  std::int64_t parameters = 0;     // numbers in all of them
  std::int64_t positions = 1;      // that it gives for one sample; 1 for a text: as many as it has
  bool text = false;               // takes tokens
  std::int64_t context = 0;        // of them
  std::int64_t vocabulary = 0;     // ids that it takes
  std::optional<Refusal> missing;  // why it cannot be made here
  std::optional<CheckpointInfo> checkpoint = std::nullopt;  // where its weights are quantized
};

/// A folder whose weights are quantized is a model too, of the values that they stand for.
///
/// Both throw InputError for a name that is not in the catalogue and a folder that is no model.
/// `context`: load_model_folder()'s, or shape_info()'s (models/shapes.hpp): their names are taken
/// too, with weights of seed 0.
ModelInfo model_info(const std::string& name_or_folder, std::int64_t context = 0);
/// Batch norms folded; fitted models from the cache, or made and cached.
Model load_model(const std::string& name_or_folder, int threads, std::int64_t context = 0);

}  // namespace qassay
