#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/kv_format.hpp"
#include "models/model.hpp"

namespace qassay {

/// Models of which only the shape is known here: their numbers are in models/shapes, their weights
/// are drawn. Named "shape:llama-7b" wherever a name of a model is taken. For sizes and speed; they
/// say nothing of accuracy.
inline constexpr std::string_view kShapePrefix = "shape:";

/// With the prefix.
std::vector<std::string> shape_names();
bool is_shape(std::string_view name);

/// Numbers in the parameters, by what they are.
struct ParameterCount {
  std::int64_t layers = 0;      // weights of linear layers, which are quantized, but the head's
  std::int64_t head = 0;        // of lm_head; none where it shares the table of tokens
  std::int64_t embeddings = 0;  // tables of tokens and positions
  std::int64_t norms = 0;
  std::int64_t biases = 0;  // of layers

  std::int64_t total() const { return layers + head + embeddings + norms + biases; }
};

/// What is known without weights.
struct ModelShape {
  std::string name;          // with the prefix
  std::int64_t context = 0;  // positions that the model was made for
  Graph graph;               // of so many that its values have a size; of Whisper, the encoder
  bool tied = false;         // lm_head's weights are the table of tokens
  ParameterCount parameters;
  /// Those of them that the graph does not have: of Whisper's decoder, by arithmetic.
  ParameterCount outside_graph;
  /// Numbers that a token's keys and values are, in all layers that keep them for the next one.
  std::int64_t kv_numbers = 0;
  std::int64_t kv_scales = 0;  // of int8: one for the keys and one for the values of each head

  /// Of the KV cache for one token.
  std::int64_t kv_bytes(KvFormat format) const;
};

/// The graph has `context` positions, or the model's own where that is 0, but at most
/// kShapeContext of those; Whisper's encoder has always its own. Throws InputError for a name that
/// is not known.
inline constexpr std::int64_t kShapeContext = 2048;
ModelShape shape_info(std::string_view name, std::int64_t context = 0);

/// The graph of shape_info() with weights drawn from `seed` and the name: normal, with the
/// deviation 1/sqrt(channels in) that keeps the scale of activations and scores; biases of 0, norms
/// of 1, positions of Whisper's encoder the sines of its paper. Throws InputError where they would
/// not fit into this machine's memory.
Model shape_model(std::string_view name, std::int64_t context, std::uint64_t seed);

}  // namespace qassay
