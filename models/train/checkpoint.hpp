#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// A training run after some whole epochs: all that the rest of it depends on.
struct Checkpoint {
  int epochs = 0;  // done
  Parameters parameters;
  Parameters optimizer;  // Optimizer::state
};

/// Written to a temporary name and renamed: a kill leaves the one before. `key` names model, data
/// and recipe.
void save_checkpoint(const Checkpoint& checkpoint, const std::string& key,
                     const std::filesystem::path& file);

/// Throws InputError when the file is missing, damaged, or of another key, or lacks parameters of
/// these shapes.
Checkpoint load_checkpoint(const std::filesystem::path& file, const std::string& key,
                           const std::vector<ParameterShape>& shapes);

}  // namespace qassay
