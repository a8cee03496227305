#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/decoder.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {

inline constexpr std::int64_t kSampleVocabulary = 19;
inline constexpr std::int64_t kSampleContext = 24;

/// RMS norms, rotary positions, a gated feed-forward part, `heads` of which `kv_heads` have keys
/// and values of their own.
inline Decoder gated_decoder(std::int64_t heads = 4, std::int64_t kv_heads = 4) {
  return {.vocabulary = kSampleVocabulary,
          .context = kSampleContext,
          .channels = 32,
          .layers = 2,
          .heads = heads,
          .kv_heads = kv_heads,
          .head = 8,
          .feed_forward = 40,
          .norm = RmsNorm{},
          .positions = Rotary{.head = 8},
          .activation = Silu{}};
}

/// Layer norms, learned positions, ReLU, biases everywhere.
inline Decoder relu_decoder() {
  return {.vocabulary = kSampleVocabulary,
          .context = kSampleContext,
          .channels = 24,
          .layers = 2,
          .heads = 3,
          .kv_heads = 3,
          .head = 8,
          .feed_forward = 50,
          .norm = LayerNorm{},
          .positions = PositionEmbedding{.positions = kSampleContext},
          .activation = Relu{},
          .gated = false,
          .qkv_bias = true,
          .output_bias = true,
          .feed_forward_bias = true};
}

inline Model drawn_decoder(const Decoder& decoder) { return drawn_model(decoder_graph(decoder)); }

/// Ids for so many texts, [samples, kSampleContext].
inline std::vector<float> drawn_texts(std::int64_t samples) {
  Random random(seed_from_name("texts"));
  std::vector<float> ids;
  for (std::int64_t i = 0; i < samples * kSampleContext; ++i)
    ids.push_back(static_cast<float>(random.below(kSampleVocabulary)));
  return ids;
}

}  // namespace qassay
