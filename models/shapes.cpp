#include "models/shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/json_object.hpp"
#include "embedded/shape_gpt3_175b.hpp"
#include "embedded/shape_llama_160m.hpp"
#include "embedded/shape_llama_1b.hpp"
#include "embedded/shape_llama_7b.hpp"
#include "embedded/shape_mistral_7b.hpp"
#include "embedded/shape_qwen2_7b.hpp"
#include "embedded/shape_whisper_medium.hpp"
#include "models/import/config_fields.hpp"
#include "models/import/hugging_face.hpp"
#include "models/ops/op.hpp"
#include "models/whisper.hpp"

namespace qassay {
namespace {

constexpr std::string_view kWhisperMedium = "whisper-medium";

/// Name -> config.json.
constexpr std::pair<std::string_view, std::string_view (*)()> kShapes[] = {
    {"llama-160m", embedded::shape_llama_160m},      {"llama-1b", embedded::shape_llama_1b},
    {"llama-7b", embedded::shape_llama_7b},          {"mistral-7b", embedded::shape_mistral_7b},
    {"qwen2-7b", embedded::shape_qwen2_7b},          {"gpt3-175b", embedded::shape_gpt3_175b},
    {kWhisperMedium, embedded::shape_whisper_medium}};

std::string_view config_of(std::string_view name) {
  if (name.starts_with(kShapePrefix)) {
    for (const auto& [shape, config] : kShapes) {
      if (name.substr(kShapePrefix.size()) == shape) return config();
    }
  }
  throw InputError("model", fmt::format("'{}' is no known shape", excerpt(name)),
                   fmt::format("choose from {}", fmt::join(shape_names(), ", ")));
}

/// What the parameters of a graph are; a tied head has none of its own.
ParameterCount count_parameters(const Graph& graph, bool tied) {
  ParameterCount count;
  const std::vector<Extent> extents = infer_extents(graph);
  for (const Node& node : graph.nodes) {
    const bool head = node.name == "lm_head";
    for (const ParameterShape& shape : own_parameters(node.op, {{extents[node.inputs.front()]}})) {
      std::int64_t size = 1;
      for (const std::int64_t dim : shape.dims) size *= dim;
      if (std::holds_alternative<Linear>(node.op)) {
        if (shape.name == "bias") {
          count.biases += size;
        } else if (!head) {
          count.layers += size;
        } else if (!tied) {
          count.head += size;
        }
      } else if (std::holds_alternative<Embedding>(node.op) ||
                 std::holds_alternative<PositionEmbedding>(node.op)) {
        count.embeddings += size;
      } else {
        count.norms += size;
      }
    }
  }
  return count;
}

/// Of all attentions that look back.
void count_cache(ModelShape& shape) {
  const std::vector<Extent> extents = infer_extents(shape.graph);
  for (const Node& node : shape.graph.nodes) {
    const auto* attention = std::get_if<Attention>(&node.op);
    if (attention == nullptr || !attention->causal) continue;
    shape.kv_numbers += extents[node.inputs[1]].channels + extents[node.inputs[2]].channels;
    shape.kv_scales += 2 * attention->kv_heads;
  }
}

WhisperStack whisper_stack(const JsonObject& config, const std::string& stack) {
  return {.layers = layers_field(config, stack + "_layers"),
          .heads = size_field(config, stack + "_attention_heads"),
          .feed_forward = size_field(config, stack + "_ffn_dim")};
}

void describe_whisper(std::string_view config_json, ModelShape& shape) {
  const nlohmann::json json = parse_json(config_json, shape.name, 2);
  const JsonObject config(json, shape.name);
  const Whisper whisper{.channels = size_field(config, "d_model"),
                        .mel_bins = size_field(config, "num_mel_bins"),
                        .positions = size_field(config, "max_source_positions"),
                        .vocabulary = size_field(config, "vocab_size"),
                        .text_positions = size_field(config, "max_target_positions"),
                        .encoder = whisper_stack(config, "encoder"),
                        .decoder = whisper_stack(config, "decoder")};
  const WhisperDecoderCount decoder = count_whisper_decoder(whisper);
  shape.context = whisper.text_positions;
  shape.graph = whisper_encoder_graph(whisper);
  shape.tied = true;
  shape.parameters = count_parameters(shape.graph, true);
  shape.outside_graph = {.layers = decoder.layers,
                         .head = 0,
                         .embeddings = decoder.embeddings,
                         .norms = decoder.norms,
                         .biases = decoder.biases};
  shape.parameters.layers += decoder.layers;
  shape.parameters.embeddings += decoder.embeddings;
  shape.parameters.norms += decoder.norms;
  shape.parameters.biases += decoder.biases;
  shape.kv_numbers = whisper.decoder.layers * 2 * whisper.channels;
  shape.kv_scales = whisper.decoder.layers * 2 * whisper.decoder.heads;
}

}  // namespace

std::vector<std::string> shape_names() {
  std::vector<std::string> names;
  for (const auto& [name, config] : kShapes)
    names.push_back(fmt::format("{}{}", kShapePrefix, name));
  return names;
}

bool is_shape(std::string_view name) { return std::ranges::count(shape_names(), name) > 0; }

std::int64_t ModelShape::kv_bytes(KvFormat format) const {
  switch (format) {
    case KvFormat::fp32:
      return kv_numbers * std::int64_t{sizeof(float)};
    case KvFormat::fp16:
      return kv_numbers * std::int64_t{sizeof(std::uint16_t)};
    case KvFormat::int8:
      return kv_numbers + kv_scales * std::int64_t{sizeof(float)};
  }
  return 0;
}

ModelShape shape_info(std::string_view name, std::int64_t context) {
  const std::string_view json = config_of(name);
  ModelShape shape{.name = std::string(name), .graph = {}, .parameters = {}, .outside_graph = {}};
  if (name.substr(kShapePrefix.size()) == kWhisperMedium) {
    describe_whisper(json, shape);
    return shape;
  }
  HuggingFaceConfig config =
      parse_hugging_face_config(json, name, context > 0 ? context : kShapeContext);
  shape.context = config.read.decoder.context;
  shape.graph = std::move(config.graph);
  shape.tied = config.read.tied;
  shape.parameters = count_parameters(shape.graph, shape.tied);
  count_cache(shape);
  return shape;
}

}  // namespace qassay
