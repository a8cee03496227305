#include "models/whisper.hpp"

#include <fmt/format.h>

#include "models/graph_builder.hpp"

namespace qassay {
namespace {

class WhisperEncoder {
 public:
  WhisperEncoder(const Whisper& whisper, Graph& graph) : whisper_(whisper), net_(graph) {}

  void all() {
    convolution("conv1", 1);
    convolution("conv2", 2);
    net_.add("embed_positions", PositionEmbedding{.positions = whisper_.positions});
    for (std::int64_t i = 0; i < whisper_.encoder.layers; ++i) {
      prefix_ = fmt::format("layers.{}.", i);
      attention();
      feed_forward();
    }
    net_.add("norm", LayerNorm{});
  }

 private:
  void convolution(const std::string& name, std::int64_t stride) {
    net_.add(name + ".unfold", Unfold{.kernel = 3, .stride = stride, .padding = 1});
    net_.add(name, Linear{.outputs = whisper_.channels});
    net_.add(name + ".activation", Gelu{});
  }

  ValueId add(const char* name, const Operator& op) { return net_.add(prefix_ + name, op); }
  ValueId project(const char* name, ValueId input, bool bias) {
    return net_.add(prefix_ + name, Linear{.outputs = whisper_.channels, .bias = bias}, {input});
  }

  void attention() {
    const ValueId residual = net_.value();
    const ValueId input = add("input_norm", LayerNorm{});
    const ValueId q = project("q_proj", input, true);
    const ValueId k = project("k_proj", input, false);
    const ValueId v = project("v_proj", input, true);
    const std::int64_t heads = whisper_.encoder.heads;
    net_.add(prefix_ + "attention", Attention{.heads = heads, .kv_heads = heads, .causal = false},
             {q, k, v});
    const ValueId out = project("o_proj", net_.value(), true);
    net_.add(prefix_ + "attention_add", Add{}, {out, residual});
  }

  void feed_forward() {
    const ValueId residual = net_.value();
    add("post_norm", LayerNorm{});
    add("up_proj", Linear{.outputs = whisper_.encoder.feed_forward});
    add("activation", Gelu{});
    const ValueId out = add("down_proj", Linear{.outputs = whisper_.channels});
    net_.add(prefix_ + "add", Add{}, {out, residual});
  }

  const Whisper& whisper_;
  GraphBuilder net_;
  std::string prefix_;
};

}  // namespace

Graph whisper_encoder_graph(const Whisper& whisper) {
  Graph graph{.input = {1, 2 * whisper.positions, whisper.mel_bins}, .nodes = {}};
  WhisperEncoder(whisper, graph).all();
  return graph;
}

WhisperDecoderCount count_whisper_decoder(const Whisper& whisper) {
  const std::int64_t channels = whisper.channels;
  const std::int64_t wide = whisper.decoder.feed_forward;
  const std::int64_t norm = 2 * channels;
  // A layer: attention to the text and to the sound, of four projections each; feed-forward.
  return {.layers = whisper.decoder.layers * (8 * channels * channels + 2 * channels * wide),
          .embeddings = (whisper.vocabulary + whisper.text_positions) * channels,
          .norms = whisper.decoder.layers * 3 * norm + norm,
          .biases = whisper.decoder.layers * (6 * channels + wide + channels)};
}

}  // namespace qassay
