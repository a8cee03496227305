#include "models/graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "core/error.hpp"
#include "models/attributes.hpp"
#include "models/ops/op.hpp"

namespace qassay {
namespace {

constexpr double kMostCount = 1 << 20;  // far from any overflow
constexpr double kMostNumber = 1 << 30;

[[noreturn]] void refuse(const Node& node, std::string_view fault) {
  throw InputError(fmt::format("node '{}' ({})", node.name, kind_name(node.op)), fault,
                   "correct the graph of the model");
}

/// Numbers from files: so small that no arithmetic on them overflows.
void check_attributes(const Node& node) {
  std::visit(
      [&](const auto& op) {
        for_each_attribute(op, [&](const char* name, auto value) {
          const auto number = static_cast<double>(value);
          const double most = std::is_same_v<decltype(value), double> ? kMostNumber : kMostCount;
          if (!(number >= 0 && number <= most))
            refuse(node, fmt::format("has a {} of {}, which is out of range", name, value));
        });
      },
      node.op);
}

bool is_reasonable(const Extent& extent) {
  return extent.height > 0 && extent.width > 0 && extent.channels > 0 &&
         extent.height <= kMostFeatures && extent.width <= kMostFeatures / extent.height &&
         extent.channels <= kMostFeatures / (extent.height * extent.width);
}

}  // namespace

std::string_view kind_name(const Operator& op) {
  static constexpr std::string_view kNames[] = {"linear",
                                                "conv2d",
                                                "batch_norm",
                                                "relu",
                                                "relu6",
                                                "hard_swish",
                                                "max_pool",
                                                "avg_pool",
                                                "global_avg_pool",
                                                "add",
                                                "flatten",
                                                "softmax",
                                                "embedding",
                                                "position_embedding",
                                                "rms_norm",
                                                "layer_norm",
                                                "rotary",
                                                "attention",
                                                "silu",
                                                "gelu",
                                                "gelu_tanh",
                                                "multiply",
                                                "unfold",
                                                "channel_scale",
                                                "channel_order"};
  static_assert(std::size(kNames) == std::variant_size_v<Operator>);
  return kNames[op.index()];
}

std::size_t input_count(const Operator& op) {
  if (std::holds_alternative<Attention>(op)) return 3;
  return std::holds_alternative<Add>(op) || std::holds_alternative<Multiply>(op) ? 2 : 1;
}

bool is_layer(const Operator& op) {
  return std::holds_alternative<Linear>(op) || std::holds_alternative<Conv2d>(op);
}

namespace {

const Embedding* find_embedding(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    const auto* embedding = std::get_if<Embedding>(&node.op);
    if (embedding != nullptr && node.inputs == std::vector<ValueId>{0}) return embedding;
  }
  return nullptr;
}

}  // namespace

bool takes_text(const Graph& graph) { return find_embedding(graph) != nullptr; }

std::int64_t vocabulary_of(const Graph& graph) {
  const Embedding* embedding = find_embedding(graph);
  if (embedding == nullptr) throw std::invalid_argument("a model that takes no tokens");
  return embedding->vocabulary;
}

std::string describe(const Node& node) {
  std::string text = fmt::format("{}: {}(", node.name, kind_name(node.op));
  std::visit(
      [&](const auto& op) {
        for_each_attribute(
            op, [&](const char* name, auto value) { text += fmt::format("{}={} ", name, value); });
      },
      node.op);
  return text + fmt::format("{})", fmt::join(node.inputs, ", "));
}

std::vector<Extent> infer_extents(const Graph& graph) {
  if (graph.nodes.empty()) {
    throw InputError("graph", "has no nodes", "describe at least one operator");
  }
  if (!is_reasonable(graph.input)) {
    throw InputError("graph", "has an input whose size is out of range",
                     "give a positive height, width and number of channels");
  }
  std::vector<Extent> extents{graph.input};
  std::set<std::string_view> names;
  std::vector<bool> used(graph.nodes.size() + 1);
  for (const Node& node : graph.nodes) {
    if (node.name.empty()) refuse(node, "has no name");
    if (!names.insert(node.name).second) refuse(node, "has the name of an earlier node");
    check_attributes(node);
    std::vector<Extent> inputs;
    for (const ValueId input : node.inputs) {
      if (input >= extents.size()) refuse(node, "takes a value that is not computed before it");
      inputs.push_back(extents[input]);
      used[input] = true;
    }
    const std::size_t wanted = input_count(node.op);
    if (inputs.size() != wanted)
      refuse(node, fmt::format("has {} inputs and takes {}", inputs.size(), wanted));
    try {
      extents.push_back(
          std::visit([&](const auto& op) { return output_extent(op, inputs); }, node.op));
    } catch (const std::invalid_argument& error) {
      refuse(node, error.what());
    }
    if (!is_reasonable(extents.back())) refuse(node, "has an output whose size is out of range");
  }
  for (std::size_t i = 0; i + 1 < graph.nodes.size(); ++i) {
    if (!used[i + 1]) refuse(graph.nodes[i], "has an output that nothing uses");
  }
  return extents;
}

std::vector<LayerShape> layer_shapes(const Graph& graph) {
  const std::vector<Extent> extents = infer_extents(graph);
  std::vector<LayerShape> layers;
  for (const Node& node : graph.nodes) {
    const Extent& input = extents[node.inputs.front()];
    if (const auto* linear = std::get_if<Linear>(&node.op)) {
      layers.push_back({.name = node.name,
                        .n = linear->outputs,
                        .k = input.channels,
                        .bias = linear->bias,
                        .rows = std::max<std::int64_t>(1, input.width / extents.back().width)});
    } else if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
      const Convolution convolution = convolution_of(*conv, input);
      layers.push_back({.name = node.name,
                        .n = conv->outputs,
                        .k = convolution.k(),
                        .convolution = convolution,
                        .bias = conv->bias});
    }
  }
  return layers;
}

}  // namespace qassay
