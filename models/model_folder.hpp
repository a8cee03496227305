#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "models/model.hpp"
#include "models/safetensors.hpp"

namespace qassay {

/// A model as a folder of two files. model.safetensors: the parameters, and in its metadata the
/// "content_hash" of the whole model where qassay wrote it. config.json:
///
///   {"format": "qassay-graph", "version": 1, "name": "...", "dataset": "...",
///    "input": {"height": 28, "width": 28, "channels": 1},
///    "nodes": [{"name": "stem", "op": "conv2d", "inputs": ["input"], "outputs": 32, ...}, ...]}
///
/// The inputs of a node are "input" or names of earlier nodes; its other keys are the members of
/// the operator in models/graph.hpp, which may be left out where the struct has a default; so may
/// the dataset.

/// The models are not trusted: every fault is an InputError with file, node, key, fault and mend.
/// Throws it too where the content_hash is another than the model's. A folder whose config.json
/// names "architectures" is a Hugging Face model (models/import/hugging_face.hpp). `context`: the
/// most positions of a text that it is to run on, where it takes texts and more; 0: all that it
/// has.
Model load_model_folder(const std::filesystem::path& folder, std::int64_t context = 0);
/// The two files in memory; messages call their folder `place`.
Model parse_model(std::string_view config_json, std::span<const std::byte> safetensors,
                  std::string_view place);
/// Without parameters; the graph is one.
Model parse_model_config(std::string_view config_json, std::string_view file);

/// Writes the weights first, each file whole or not at all; makes missing folders. Throws
/// InputError when a file cannot be written, and what loading it would throw for a model that is
/// none.
void save_model_folder(const Model& model, const std::filesystem::path& folder,
                       Storage storage = Storage::f32);

}  // namespace qassay
