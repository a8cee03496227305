// OPT (Zhang et al. 2022, arXiv:2205.01068).

#include <fmt/format.h>

#include "models/import/architectures.hpp"
#include "models/import/config_fields.hpp"

namespace qassay {

DecoderConfig opt_config(const JsonObject& config) {
  want_flag(config, "do_layer_norm_before", true);
  want_flag(config, "_remove_final_layer_norm", false);
  want_flag(config, "layer_norm_elementwise_affine", true);
  const bool bias = flag_field(config, "enable_bias", true);
  const std::int64_t positions = size_field(config, "max_position_embeddings");
  Decoder decoder{.vocabulary = size_field(config, "vocab_size"),
                  .context = positions,
                  .channels = size_field(config, "hidden_size"),
                  .layers = layers_field(config, "num_hidden_layers"),
                  .heads = size_field(config, "num_attention_heads"),
                  .feed_forward = size_field(config, "ffn_dim"),
                  .norm = LayerNorm{},
                  .positions = PositionEmbedding{.positions = positions},
                  .activation = activation_field(config, "activation_function", "relu"),
                  .gated = false,
                  .qkv_bias = bias,
                  .output_bias = bias,
                  .feed_forward_bias = bias};
  constexpr const char* kTable = "word_embed_proj_dim";
  if (size_field(config, kTable, decoder.channels) != decoder.channels) {
    config.refuse(kTable,
                  fmt::format("is another than the {} of hidden_size, which is not read yet",
                              decoder.channels),
                  "give a model where they are equal");
  }
  decoder.kv_heads = decoder.heads;
  decoder.head =
      head_of(config, decoder.channels, decoder.heads, "hidden_size", "num_attention_heads");
  return {.decoder = decoder,
          .names = TensorNames::opt,
          .tied = flag_field(config, "tie_word_embeddings", true)};
}

}  // namespace qassay
