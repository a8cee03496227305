#include "models/decoder.hpp"

#include <fmt/format.h>

#include "models/graph_builder.hpp"

namespace qassay {
namespace {

template <typename... Ops>
Operator any_of(const std::variant<Ops...>& op) {
  return std::visit([](const auto& one) { return Operator(one); }, op);
}

class Blocks {
 public:
  Blocks(const Decoder& decoder, Graph& graph) : decoder_(decoder), net_(graph) {}

  void all() {
    net_.add("embed_tokens",
             Embedding{.vocabulary = decoder_.vocabulary, .channels = decoder_.channels});
    if (const auto* table = std::get_if<PositionEmbedding>(&decoder_.positions))
      net_.add("embed_positions", *table);
    for (std::int64_t i = 0; i < decoder_.layers; ++i) {
      prefix_ = fmt::format("layers.{}.", i);
      attention(i < decoder_.window_from ? 0 : decoder_.window);
      feed_forward();
    }
    net_.add("norm", any_of(decoder_.norm));
    net_.add("lm_head", Linear{.outputs = decoder_.vocabulary, .bias = false});
  }

 private:
  ValueId add(const char* name, const Operator& op) { return net_.add(prefix_ + name, op); }
  ValueId add(const char* name, const Operator& op, std::vector<ValueId> inputs) {
    return net_.add(prefix_ + name, op, std::move(inputs));
  }

  ValueId project(const char* name, std::int64_t heads, ValueId input) {
    return add(name, Linear{.outputs = heads * decoder_.head, .bias = decoder_.qkv_bias}, {input});
  }

  void attention(std::int64_t window) {
    const ValueId residual = net_.value();
    const ValueId input = add("input_norm", any_of(decoder_.norm));
    ValueId q = project("q_proj", decoder_.heads, input);
    ValueId k = project("k_proj", decoder_.kv_heads, input);
    const ValueId v = project("v_proj", decoder_.kv_heads, input);
    if (const auto* rotary = std::get_if<Rotary>(&decoder_.positions)) {
      q = add("q_rotary", *rotary, {q});
      k = add("k_rotary", *rotary, {k});
    }
    add("attention",
        Attention{.heads = decoder_.heads, .kv_heads = decoder_.kv_heads, .window = window},
        {q, k, v});
    const ValueId out =
        add("o_proj", Linear{.outputs = decoder_.channels, .bias = decoder_.output_bias});
    add("attention_add", Add{}, {out, residual});
  }

  void feed_forward() {
    const ValueId residual = net_.value();
    const Linear wide{.outputs = decoder_.feed_forward, .bias = decoder_.feed_forward_bias};
    const ValueId input = add("post_norm", any_of(decoder_.norm));
    if (decoder_.gated) {
      add("gate_proj", wide);
      const ValueId gate = add("activation", any_of(decoder_.activation));
      const ValueId up = add("up_proj", wide, {input});
      add("gate", Multiply{}, {up, gate});
    } else {
      add("up_proj", wide);
      add("activation", any_of(decoder_.activation));
    }
    const ValueId out =
        add("down_proj", Linear{.outputs = decoder_.channels, .bias = decoder_.feed_forward_bias});
    add("add", Add{}, {out, residual});
  }

  const Decoder& decoder_;
  GraphBuilder net_;
  std::string prefix_;
};

}  // namespace

Graph decoder_graph(const Decoder& decoder) {
  Graph graph{.input = {1, decoder.context, 1}, .nodes = {}};
  Blocks(decoder, graph).all();
  return graph;
}

}  // namespace qassay
