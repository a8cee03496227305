#include "models/scale_folding.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <variant>

namespace qassay {
namespace {

template <typename... Types>
bool is_any(const Operator& op) {
  return (std::holds_alternative<Types>(op) || ...);
}

class Folding {
 public:
  explicit Folding(const Graph& graph) : graph_(graph) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const ValueId input : graph.nodes[i].inputs) readers_[input].push_back(i);
    }
  }

  std::vector<SharedInput> inputs() {
    std::vector<SharedInput> all;
    std::size_t layer = 0;
    for (const Node& node : graph_.nodes) {
      if (!is_layer(node.op)) continue;
      if (is_any<Linear>(node.op)) add(node.inputs.front(), layer, all);
      ++layer;
    }
    return all;
  }

 private:
  void add(ValueId value, std::size_t layer, std::vector<SharedInput>& all) {
    const auto found = std::ranges::find(all, value, &SharedInput::value);
    if (found != all.end()) {
      found->layers.push_back(layer);
      return;
    }
    SharedInput input;
    input.value = value;
    input.layers = {layer};
    input.refusal = find_producers(value, input.producers);
    all.push_back(std::move(input));
  }

  std::optional<Refusal> find_producers(ValueId value, std::vector<std::string>& producers) {
    for (const std::size_t reader : readers_[value]) {
      if (!is_any<Linear>(graph_.nodes[reader].op))
        return Refusal{graph_.nodes[reader].name + " reads the same"};
    }
    return into(value, producers);
  }

  /// Factors of a value whose readers are all taken care of.
  std::optional<Refusal> into(ValueId value, std::vector<std::string>& producers) {
    if (value == 0) return Refusal{"it is the model's own input"};
    const Node& node = graph_.nodes[value - 1];
    if (is_any<RmsNorm, LayerNorm, Linear, ChannelScale>(node.op)) {
      producers.push_back(node.name + ".weight");
      if (has_bias(node.op)) producers.push_back(node.name + ".bias");
      return std::nullopt;
    }
    if (is_any<Relu>(node.op)) return through(node, 0, producers);
    if (is_any<Multiply>(node.op)) {
      for (std::size_t side = 0; side < 2; ++side) {
        if (node.inputs[side] > 0 && is_any<Linear>(graph_.nodes[node.inputs[side] - 1].op))
          return through(node, side, producers);
      }
      return Refusal{"no side of " + node.name + " is a linear layer's"};
    }
    if (const auto* attention = std::get_if<Attention>(&node.op)) {
      constexpr std::size_t kValues = 2;
      if (attention->heads != attention->kv_heads)
        return Refusal{"heads of " + node.name + " share their values"};
      return through(node, kValues, producers);
    }
    return Refusal{node.name + " takes no factors"};
  }

  std::optional<Refusal> through(const Node& node, std::size_t input,
                                 std::vector<std::string>& producers) {
    const ValueId value = node.inputs[input];
    if (readers_[value].size() != 1)
      return Refusal{"what " + node.name + " reads has other readers"};
    return into(value, producers);
  }

  static bool has_bias(const Operator& op) {
    const auto* linear = std::get_if<Linear>(&op);
    return is_any<LayerNorm>(op) || (linear != nullptr && linear->bias);
  }

  const Graph& graph_;
  std::map<ValueId, std::vector<std::size_t>> readers_;  // nodes, by value
};

void multiply_columns(Model& model, const SharedInput& input, std::span<const float> scales) {
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  for (const std::size_t layer : input.layers) {
    std::vector<float>& weights = model.parameters.at(shapes[layer].name + ".weight").values;
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= scales[i % scales.size()];
  }
}

}  // namespace

std::vector<SharedInput> shared_inputs(const Graph& graph) { return Folding(graph).inputs(); }

void fold_scales(Model& model, const SharedInput& input, std::span<const float> scales) {
  multiply_columns(model, input, scales);
  for (const std::string& producer : input.producers) {
    std::vector<float>& numbers = model.parameters.at(producer).values;
    const std::size_t width = numbers.size() / scales.size();  // of a row
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] /= scales[i / width];
  }
}

void insert_scales(Model& model, const SharedInput& input, std::span<const float> scales) {
  multiply_columns(model, input, scales);
  Tensor& factors = model.parameters.at(insert_channel_scale(model, input) + ".weight");
  std::ranges::transform(scales, factors.values.begin(), [](float scale) { return 1 / scale; });
}

std::string channel_scale_name(const Graph& graph, const SharedInput& input) {
  return layer_shapes(graph)[input.layers.front()].name + ".input_scale";
}

std::string insert_channel_scale(Model& model, const SharedInput& input) {
  std::vector<Node>& nodes = model.graph.nodes;
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  std::set<std::string> readers;
  for (const std::size_t layer : input.layers) readers.insert(shapes[layer].name);
  const LayerShape& first = shapes[input.layers.front()];
  const auto at = std::ranges::find(nodes, first.name, &Node::name);
  const auto place = static_cast<std::size_t>(at - nodes.begin());
  Node scale{channel_scale_name(model.graph, input), ChannelScale{}, {at->inputs.front()}};
  for (Node& node : nodes) {
    for (ValueId& id : node.inputs) id += id > place;  // values behind the new one
    if (readers.contains(node.name)) node.inputs = {place + 1};
  }
  model.parameters[scale.name + ".weight"] = {
      {first.k}, std::vector<float>(static_cast<std::size_t>(first.k), 1.0F)};
  nodes.insert(at, scale);
  return scale.name;
}

}  // namespace qassay
