#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "models/model.hpp"

namespace qassay {

/// The models that the program knows by name.
std::vector<std::string> catalogue_models();
bool is_model(std::string_view name);

/// These throw InputError for a name that is not in the catalogue.
std::vector<LayerShape> model_layers(std::string_view name);
/// The dataset (datasets/image_dataset.hpp) that the model is evaluated on.
std::string model_dataset(std::string_view name);
/// Why this build cannot make the model, or nothing.
std::optional<Refusal> unavailable(std::string_view name);
/// From the cache, or made and cached.
Model load_catalogue_model(std::string_view name, int threads);

}  // namespace qassay
