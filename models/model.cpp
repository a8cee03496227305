#include "models/model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "core/error.hpp"
#include "core/half.hpp"
#include "core/hash.hpp"
#include "models/ops/op.hpp"

namespace qassay {
namespace {

std::int64_t elements(const std::vector<std::int64_t>& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

void check_tensor(const ParameterShape& wanted, const Parameters& parameters,
                  std::string_view place) {
  const auto refuse = [&](std::string_view fault) {
    throw InputError(fmt::format("{}: parameter '{}'", place, wanted.name), fault,
                     "give the parameters that the graph needs");
  };
  const auto found = parameters.find(wanted.name);
  if (found == parameters.end()) refuse("is missing");
  const Tensor& tensor = found->second;
  if (tensor.dims != wanted.dims ||
      static_cast<std::int64_t>(tensor.values.size()) != elements(wanted.dims)) {
    refuse(fmt::format("is [{}], but the graph needs [{}]", fmt::join(tensor.dims, ", "),
                       fmt::join(wanted.dims, ", ")));
  }
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    if (!std::isfinite(tensor.values[i]))
      refuse(fmt::format("has a value at {} that is not finite", i));
  }
}

}  // namespace

std::vector<ParameterShape> parameter_shapes(const Graph& graph) {
  const std::vector<Extent> extents = infer_extents(graph);
  std::vector<ParameterShape> all;
  for (const Node& node : graph.nodes) {
    std::vector<Extent> inputs;
    for (const ValueId input : node.inputs) inputs.push_back(extents[input]);
    for (ParameterShape& shape : own_parameters(node.op, inputs)) {
      all.push_back({fmt::format("{}.{}", node.name, shape.name), std::move(shape.dims)});
    }
  }
  return all;
}

void check_model(const Model& model, std::string_view place) {
  const std::vector<ParameterShape> wanted = parameter_shapes(model.graph);
  std::set<std::string_view> known;
  for (const ParameterShape& shape : wanted) {
    check_tensor(shape, model.parameters, place);
    known.insert(shape.name);
  }
  for (const auto& [name, tensor] : model.parameters) {
    if (!known.contains(name)) {
      throw InputError(fmt::format("{}: parameter '{}'", place, name),
                       "belongs to no node of the graph", "remove it or correct the graph");
    }
  }
}

Layer layer_of(const Model& model, const LayerShape& shape) {
  Layer layer{shape, model.parameters.at(shape.name + ".weight").values, {}};
  if (shape.bias) layer.bias = model.parameters.at(shape.name + ".bias").values;
  return layer;
}

void round_to_halves(Model& model) {
  for (auto& [name, tensor] : model.parameters) {
    for (float& value : tensor.values) value = f16_to_f32(f32_to_f16(value));
  }
}

std::string content_hash(const Model& model) {
  std::string text =
      fmt::format("{}\n{}\n{}x{}x{}\n", model.name, model.dataset, model.graph.input.height,
                  model.graph.input.width, model.graph.input.channels);
  for (const Node& node : model.graph.nodes) text += describe(node) + "\n";
  for (const auto& [name, tensor] : model.parameters) {
    text += fmt::format("{}[{}]", name, fmt::join(tensor.dims, ","));
    const std::size_t begin = text.size();
    text.resize(begin + tensor.values.size() * sizeof(float));
    if (!tensor.values.empty())
      std::memcpy(text.data() + begin, tensor.values.data(), text.size() - begin);
  }
  return sha256(text);
}

}  // namespace qassay
