#pragma once

#include <cstdint>

#include "core/json_object.hpp"
#include "models/decoder.hpp"

namespace qassay {

/// How the tensors of an architecture are called, and laid out.
enum class TensorNames { llama, gpt2, opt };

/// What a config.json of Hugging Face says of a language model.
struct DecoderConfig {
  Decoder decoder;  // of all positions that the model was made for
  TensorNames names = TensorNames::llama;
  bool tied = false;  // lm_head's weights are the table of tokens
};

/// Of LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, GPT2LMHeadModel or
/// OPTForCausalLM. Throws InputError for another, for what is missing, contradicts itself or is out
/// of range, and for what would change the result and is not read yet. Keys that are not known are
/// passed over: most say nothing of the function.
DecoderConfig decoder_config(const JsonObject& config);

}  // namespace qassay
