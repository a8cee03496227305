// Llama (Touvron et al. 2023, arXiv:2302.13971) and those that differ in little: Mistral 7B (Jiang
// et al. 2023, arXiv:2310.06825) in its window, Qwen2 (Yang et al. 2024, arXiv:2407.10671) in the
// biases of its attention.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "models/import/architectures.hpp"
#include "models/import/config_fields.hpp"
#include "models/import/rope_config.hpp"

namespace qassay {
namespace {

std::int64_t read_head(const JsonObject& config, const Decoder& decoder) {
  constexpr const char* kHeads = "num_attention_heads";
  const bool given = config.given("head_dim");
  const std::int64_t head =
      given ? size_field(config, "head_dim")
            : head_of(config, decoder.channels, decoder.heads, "hidden_size", kHeads);
  if (head % 2 != 0) {
    config.refuse(given ? "head_dim" : kHeads,
                  fmt::format("makes heads of {} channels, which cannot be turned in pairs", head),
                  "correct it");
  }
  return head;
}

/// What all three have in common. Llama has as many kv_heads as heads where the file does not say.
DecoderConfig read_family(const JsonObject& config, bool kv_heads_required) {
  Decoder decoder{.vocabulary = size_field(config, "vocab_size"),
                  .context = size_field(config, "max_position_embeddings"),
                  .channels = size_field(config, "hidden_size"),
                  .layers = layers_field(config, "num_hidden_layers"),
                  .heads = size_field(config, "num_attention_heads"),
                  .feed_forward = size_field(config, "intermediate_size"),
                  .norm = RmsNorm{.epsilon = epsilon_field(config, "rms_norm_eps", 1e-6)},
                  .positions = {},
                  .activation = activation_field(config, "hidden_act", "silu")};
  constexpr const char* kKvHeads = "num_key_value_heads";
  decoder.kv_heads = kv_heads_required ? size_field(config, kKvHeads)
                                       : size_field(config, kKvHeads, decoder.heads);
  head_of(config, decoder.heads, decoder.kv_heads, "num_attention_heads", kKvHeads);
  decoder.head = read_head(config, decoder);
  decoder.positions = rope_field(config, decoder.head);
  return {.decoder = decoder,
          .names = TensorNames::llama,
          .tied = flag_field(config, "tie_word_embeddings", false)};
}

/// Newer files say of each layer what it looks at.
void check_layer_types(const JsonObject& config, const Decoder& decoder) {
  constexpr const char* kTypes = "layer_types";
  if (!config.given(kTypes)) return;
  std::vector<std::string> expected;
  for (std::int64_t i = 0; i < decoder.layers; ++i) {
    const bool whole = decoder.window == 0 || i < decoder.window_from;
    expected.emplace_back(whole ? "full_attention" : "sliding_attention");
  }
  if (config.texts(kTypes) != expected) {
    config.refuse(kTypes, "is not what the windows of the other keys make of the layers",
                  "correct it, or remove it");
  }
}

}  // namespace

DecoderConfig llama_config(const JsonObject& config) {
  DecoderConfig read = read_family(config, false);
  read.decoder.qkv_bias = read.decoder.output_bias = flag_field(config, "attention_bias", false);
  read.decoder.feed_forward_bias = flag_field(config, "mlp_bias", false);
  return read;
}

DecoderConfig mistral_config(const JsonObject& config) {
  constexpr std::int64_t kWindow = 4096;  // where the file says nothing; null is none
  DecoderConfig read = read_family(config, true);
  if (config.given("sliding_window")) {
    read.decoder.window = size_field(config, "sliding_window");
  } else if (!config.has("sliding_window")) {
    read.decoder.window = kWindow;
  }
  return read;
}

DecoderConfig qwen2_config(const JsonObject& config) {
  DecoderConfig read = read_family(config, true);
  read.decoder.qkv_bias = true;
  if (flag_field(config, "use_sliding_window", false)) {
    constexpr std::int64_t kMostLayers = 1 << 20;
    read.decoder.window = size_field(config, "sliding_window");
    read.decoder.window_from = config.integer("max_window_layers", 0, kMostLayers);
  }
  check_layer_types(config, read.decoder);
  return read;
}

}  // namespace qassay
