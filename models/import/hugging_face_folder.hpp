#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "models/import/hugging_face.hpp"
#include "models/import/tensor_files.hpp"
#include "models/import/tensor_sources.hpp"

namespace qassay {

/// The text of its config.json.
std::string read_hugging_face_config(const std::filesystem::path& folder);

/// A folder in the layout of Hugging Face, open: what its config.json says, its tensors, and where
/// among them the parameters are. Every fault is an InputError with file, place, fault and mend.
struct HuggingFaceFolder {
  HuggingFaceFolder(const std::filesystem::path& folder, std::int64_t context);
  /// Of what is in memory; messages call its folder `path`.
  HuggingFaceFolder(std::filesystem::path folder, std::string config_json, TensorFiles tensors,
                    std::int64_t context);

  /// Throws InputError for a tensor left over that is none of `used`, and says something.
  void check_unused(std::set<std::string> used) const;
  /// A tied lm_head may be stored all the same, as long as it says nothing else.
  void check_tied_head(const Parameters& parameters) const;
  /// Named by the folder, without parameters.
  Model model_without_parameters() const;
  std::string config_path() const { return (path / "config.json").string(); }

  std::filesystem::path path;
  std::string config_json;
  HuggingFaceConfig config;
  TensorFiles files;
  TensorNaming naming;
  std::vector<TensorSource> sources;  // of config.graph
};

}  // namespace qassay
