// GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners").

#include "models/import/architectures.hpp"
#include "models/import/config_fields.hpp"

namespace qassay {

DecoderConfig gpt2_config(const JsonObject& config) {
  constexpr std::int64_t kWidening = 4;
  want_flag(config, "scale_attn_weights", true);
  want_flag(config, "scale_attn_by_inverse_layer_idx", false);
  want_flag(config, "add_cross_attention", false);
  const std::int64_t positions = size_field(config, "n_positions");
  Decoder decoder{.vocabulary = size_field(config, "vocab_size"),
                  .context = positions,
                  .channels = size_field(config, "n_embd"),
                  .layers = layers_field(config, "n_layer"),
                  .heads = size_field(config, "n_head"),
                  .norm = LayerNorm{.epsilon = epsilon_field(config, "layer_norm_epsilon", 1e-5)},
                  .positions = PositionEmbedding{.positions = positions},
                  .activation = activation_field(config, "activation_function", "gelu_new"),
                  .gated = false,
                  .qkv_bias = true,
                  .output_bias = true,
                  .feed_forward_bias = true};
  decoder.kv_heads = decoder.heads;
  decoder.head = head_of(config, decoder.channels, decoder.heads, "n_embd", "n_head");
  decoder.feed_forward = size_field(config, "n_inner", kWidening * decoder.channels);
  return {.decoder = decoder,
          .names = TensorNames::gpt2,
          .tied = flag_field(config, "tie_word_embeddings", true)};
}

}  // namespace qassay
