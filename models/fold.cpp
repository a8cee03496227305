#include "models/fold.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace qassay {
namespace {

bool* bias_flag(Operator& op) {
  if (auto* linear = std::get_if<Linear>(&op)) return &linear->bias;
  if (auto* conv = std::get_if<Conv2d>(&op)) return &conv->bias;
  return nullptr;
}

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.nodes.size() + 1);
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs) ++uses[input];
  }
  return uses;
}

/// w' = w f and b' = (b - mean) f + bias, with f = weight / sqrt(var + epsilon), in double.
void fold(const std::string& layer, bool had_bias, const std::string& norm, double epsilon,
          Parameters& parameters) {
  const auto take = [&](const char* name) {
    return std::move(parameters.extract(norm + name).mapped().values);
  };
  const std::vector<float> gain = take(".weight");
  const std::vector<float> shift = take(".bias");
  const std::vector<float> mean = take(".running_mean");
  const std::vector<float> var = take(".running_var");
  std::vector<float>& weights = parameters.at(layer + ".weight").values;
  Tensor& bias = parameters[layer + ".bias"];
  if (!had_bias) bias = {{static_cast<std::int64_t>(gain.size())}, std::vector<float>(gain.size())};
  const std::size_t k = weights.size() / gain.size();
  for (std::size_t n = 0; n < gain.size(); ++n) {
    const double factor = gain[n] / std::sqrt(var[n] + epsilon);
    for (std::size_t i = n * k; i < (n + 1) * k; ++i)
      weights[i] = static_cast<float>(weights[i] * factor);
    bias.values[n] =
        static_cast<float>((static_cast<double>(bias.values[n]) - mean[n]) * factor + shift[n]);
  }
}

}  // namespace

Model fold_batch_norms(Model model) {
  Model folded{std::move(model.name),
               std::move(model.dataset),
               {model.graph.input, {}},
               std::move(model.parameters)};
  const std::vector<int> uses = count_uses(model.graph);
  std::vector<ValueId> now(uses.size());  // old value -> new value
  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    Node node = model.graph.nodes[i];
    const ValueId input = node.inputs.front();
    const auto* norm = std::get_if<BatchNorm>(&node.op);
    if (norm != nullptr && input > 0 && uses[input] == 1) {
      Node& layer = folded.graph.nodes[now[input] - 1];
      bool* const has_bias = bias_flag(layer.op);
      if (has_bias != nullptr) {
        fold(layer.name, *has_bias, node.name, norm->epsilon, folded.parameters);
        *has_bias = true;
        now[i + 1] = now[input];
        continue;
      }
    }
    for (ValueId& value : node.inputs) value = now[value];
    folded.graph.nodes.push_back(std::move(node));
    now[i + 1] = folded.graph.nodes.size();
  }
  return folded;
}

}  // namespace qassay
