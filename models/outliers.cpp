#include "models/outliers.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <variant>

#include "core/seed.hpp"

namespace qassay {
namespace {

bool is_norm(const Operator& op) {
  return std::holds_alternative<RmsNorm>(op) || std::holds_alternative<LayerNorm>(op);
}

/// The nodes that take a value.
std::vector<const Node*> readers(const Graph& graph, ValueId value) {
  std::vector<const Node*> found;
  for (const Node& node : graph.nodes) {
    if (std::ranges::count(node.inputs, value) > 0) found.push_back(&node);
  }
  return found;
}

/// Column `channel` of weight[n, k], or number `channel` of a vector.
void scale(Tensor& tensor, std::int64_t channel, float factor) {
  const std::int64_t width = tensor.dims.back();
  for (std::size_t i = static_cast<std::size_t>(channel); i < tensor.values.size();
       i += static_cast<std::size_t>(width))
    tensor.values[i] *= factor;
}

}  // namespace

std::vector<std::int64_t> outlier_channels(const std::string& name, std::int64_t channels) {
  Random random(seed_from_name(name + " outliers"));
  std::vector<std::int64_t> chosen;
  while (static_cast<std::int64_t>(chosen.size()) < std::min(kOutlierChannels, channels)) {
    const auto channel =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(channels)));
    if (std::ranges::count(chosen, channel) == 0) chosen.push_back(channel);
  }
  std::ranges::sort(chosen);
  return chosen;
}

Model with_outlier_channels(Model model) {
  const std::vector<Extent> extents = infer_extents(model.graph);
  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const Node& norm = model.graph.nodes[i];
    if (!is_norm(norm.op)) continue;
    const std::vector<const Node*> layers = readers(model.graph, i + 1);
    const bool only_layers = std::ranges::all_of(
        layers, [](const Node* node) { return std::holds_alternative<Linear>(node->op); });
    if (!only_layers) continue;
    const std::vector<std::int64_t> chosen = outlier_channels(model.name, extents[i + 1].channels);
    for (std::size_t j = 0; j < chosen.size(); ++j) {
      const float factor = kOutlierFactors[j % std::size(kOutlierFactors)];
      scale(model.parameters.at(norm.name + ".weight"), chosen[j], factor);
      if (const auto bias = model.parameters.find(norm.name + ".bias");
          bias != model.parameters.end())
        scale(bias->second, chosen[j], factor);
      for (const Node* layer : layers)
        scale(model.parameters.at(layer->name + ".weight"), chosen[j], 1 / factor);
    }
  }
  model.name += "-outliers";
  return model;
}

}  // namespace qassay
