#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// The one byte form of a model, little-endian: name, number of layers; per layer name, n, k, relu,
/// number of biases, weights, biases. Texts are a length and their bytes; numbers are int64;
/// parameters float32.
std::vector<std::byte> to_bytes(const Model& model);

/// Writes to a temporary name beside `path`, then renames: a reader sees the old file, none, or the
/// whole new one, also where several processes write at once. Makes missing folders. Throws
/// InputError when the file cannot be written.
void save_model(const Model& model, const std::filesystem::path& path);

/// Empty when there is no such file. Throws InputError when the file cannot be read or is damaged:
/// it holds a hash of its own content.
std::optional<Model> load_model(const std::filesystem::path& path);

}  // namespace qassay
