#pragma once

#include <cstdint>
#include <variant>

#include "models/graph.hpp"

namespace qassay {

/// The shape of a causal language model of the usual kind: blocks of attention and a feed-forward
/// part, each behind a norm and beside a residual (pre-norm), between tables of tokens and the
/// scores of the next one.
struct Decoder {
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;   // positions
  std::int64_t channels = 0;  // of the residual
  std::int64_t layers = 0;
  std::int64_t heads = 1, kv_heads = 1;
  std::int64_t head = 0;  // channels of one
  std::int64_t feed_forward = 0;
  std::int64_t window = 0;       // Attention's
  std::int64_t window_from = 0;  // the first layer that has it

  std::variant<RmsNorm, LayerNorm> norm;
  std::variant<Rotary, PositionEmbedding> positions;
  std::variant<Silu, Gelu, GeluTanh, Relu> activation;
  bool gated = true;  // activation(gate) * up, else activation(up)
  bool qkv_bias = false, output_bias = false, feed_forward_bias = false;
};

/// From ids to the scores of the next token, [context, vocabulary]. Its nodes, by which the
/// parameters go: embed_tokens, embed_positions where they are learned, then in each block i
/// layers.i.{input_norm, q_proj, k_proj, v_proj, q_rotary, k_rotary, attention, o_proj,
/// attention_add, post_norm, gate_proj where it is gated, activation, up_proj, gate, down_proj,
/// add}, and norm and lm_head.
Graph decoder_graph(const Decoder& decoder);

}  // namespace qassay
