#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/quant_matrix.hpp"
#include "models/model.hpp"

namespace qassay {

/// Writes a GPTQ checkpoint: config.json and model.safetensors as read_quantized_folder() and other
/// programs read them. `source` is the folder in the layout of Hugging Face that the model came
/// from: its config.json, and the tensors that are the same in the model, are taken over as they
/// are, and so is its tokenizer. `layers`, by the name of the node, are of
/// one scheme, W2A16, W3A16, W4A16 or W8A16 with or without -g<N> and -asym; the others stay in
/// floating point. A tied lm_head is untied where it is quantized, or changed by itself.
///
/// The first format of GPTQ, or gptq_v2 where a zero point is 0, which readers of the first
/// disagree about. Scales
/// are F16 where that holds them (those of groups always are), else F32.
///
/// config.json is written last, each whole or not at all. Throws InputError for
/// layers or schemes that the format cannot say, a source that is quantized or the same folder, and
/// files that cannot be read or written; std::invalid_argument for layers or parameters that are
/// not of the model of `source`.
void write_gptq_folder(const std::filesystem::path& source, const Model& model,
                       const std::map<std::string, QuantMatrix>& layers,
                       const std::filesystem::path& target);

}  // namespace qassay
