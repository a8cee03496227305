#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// A tiny model as its folder would have it.
struct HuggingFaceSample {
  nlohmann::json config;
  Parameters tensors;

  const std::string architecture() const { return config["architectures"][0]; }
};

/// The architectures that are imported.
const std::vector<std::string>& hugging_face_architectures();

/// Sizes and options drawn: heads of odd sizes where they can be, shared keys and values, biases,
/// tied heads, windows and rotations of all kinds, old and new keys.
HuggingFaceSample drawn_hugging_face(const std::string& architecture, std::uint64_t seed);

/// config.json and model.safetensors.
void write_hugging_face(const HuggingFaceSample& sample, const std::filesystem::path& folder);
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace qassay
