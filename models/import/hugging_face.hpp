#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "models/import/decoder_config.hpp"
#include "models/import/quantization_config.hpp"
#include "models/model.hpp"

namespace qassay {

/// Language models in the layout of Hugging Face: a folder with a config.json that names its
/// "architectures" (decoder_config() says which are read), and model.safetensors or shards of it,
/// with values of F32, F16 or BF16.

/// Whether a config.json is of such a model. Throws InputError where it is not JSON.
bool is_hugging_face(std::string_view config_json, std::string_view file);

/// Whether a config.json says that the weights are quantized.
bool is_quantized(std::string_view config_json, std::string_view file);

struct HuggingFaceConfig {
  DecoderConfig read;
  Graph graph;  // decoder_graph()
  std::optional<QuantizationConfig> quantization = std::nullopt;
};

/// The graph is one, of `context` positions, or as many as the model was made for where that is 0
/// or more than those. Throws InputError also for so many that a graph cannot have them: then a
/// smaller context is what is missing.
HuggingFaceConfig parse_hugging_face_config(std::string_view config_json, std::string_view file,
                                            std::int64_t context = 0);

/// Named by its folder, without a dataset; of floating point, for read_quantized_folder() reads
/// those that are quantized. The models are not trusted: every fault is an InputError with file,
/// place, fault and mend. Takes memory for the tensors that the files have, no more.
Model load_hugging_face(const std::filesystem::path& folder, std::int64_t context = 0);

}  // namespace qassay
