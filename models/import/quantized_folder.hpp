#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/quant_matrix.hpp"
#include "models/channel_order.hpp"
#include "models/model.hpp"

namespace qassay {

struct HuggingFaceFolder;

/// A model whose layers others have quantized.
struct QuantizedFolder {
  Model model;  // quantized weights are there as the values that they stand for
  /// By the name of the node. Layers that the folder has in floating point are not here.
  std::map<std::string, QuantMatrix> layers;
  /// Of act-order's layers: the inputs that the columns of their matrices are for. The model takes
  /// them as they are; order_inputs() makes the one that the matrices are the layers of.
  ChannelOrders orders{};
};

/// Whether the config.json of a folder says that its weights are quantized, by whatever method.
/// Throws InputError where there is none, or no JSON.
bool is_quantized_folder(const std::filesystem::path& folder);

/// Checkpoints of GPTQ and AWQ as they are published: a folder as load_hugging_face() reads it,
/// whose config.json has a "quantization_config" (models/import/quantization_config.hpp) and whose
/// quantized layers have the tensors of models/import/packed_layer.hpp.
///
/// All layers have one scheme, W<bits>A16[-g<N>][-asym]. Those of a file that says it is symmetric
/// may have code 0, which quantizers of ours leave unused (core/grid.hpp).
///
/// Untrusted: every fault is an InputError with file, tensor or key, fault and mend.
QuantizedFolder read_quantized_folder(const std::filesystem::path& folder,
                                      std::int64_t context = 0);
QuantizedFolder read_quantized_folder(const HuggingFaceFolder& folder);

}  // namespace qassay
