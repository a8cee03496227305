#pragma once

#include "core/json_object.hpp"
#include "models/import/decoder_config.hpp"

namespace qassay {

/// decoder_config() of each architecture. github.com/huggingface/transformers is what they follow.
DecoderConfig llama_config(const JsonObject& config);
DecoderConfig mistral_config(const JsonObject& config);
DecoderConfig qwen2_config(const JsonObject& config);
DecoderConfig gpt2_config(const JsonObject& config);
DecoderConfig opt_config(const JsonObject& config);

}  // namespace qassay
