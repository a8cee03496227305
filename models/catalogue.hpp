#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "models/model.hpp"

namespace qassay {

/// The models that the program knows by name. A user's own is a folder (models/model_folder.hpp),
/// whose path stands in place of a name wherever one is taken.
std::vector<std::string> catalogue_models();
bool is_model(const std::string& name_or_folder);

/// What a plan needs to know of a model.
struct ModelInfo {
  std::string name;
  std::string dataset;             // that it is evaluated on
  std::vector<LayerShape> layers;  // with batch norms folded
  std::optional<Refusal> missing;  // why this build cannot make it
};

/// Both throw InputError for a name that is not in the catalogue and a folder that is no model.
ModelInfo model_info(const std::string& name_or_folder);
/// Batch norms folded; fitted models from the cache, or made and cached.
Model load_model(const std::string& name_or_folder, int threads);

}  // namespace qassay
