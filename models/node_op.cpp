#include "models/node_op.hpp"

#include <fmt/format.h>

#include <variant>

namespace qassay {

NodeOp make_node_op(const Model& model, std::size_t index, std::span<const Extent> extents,
                    std::int64_t samples, int threads, const TextState* text) {
  const Node& node = model.graph.nodes[index];
  OpPlace place{.inputs = {},
                .output = extents[index + 1],
                .samples = samples,
                .threads = threads,
                .text = text,
                .parameters = {},
                .gradients = {}};
  for (const ValueId input : node.inputs) place.inputs.push_back(extents[input]);
  NodeOp made;
  for (const ParameterShape& shape : own_parameters(node.op, place.inputs)) {
    made.parameters.push_back(
        std::make_unique<Tensor>(model.parameters.at(fmt::format("{}.{}", node.name, shape.name))));
    place.parameters.push_back(made.parameters.back().get());
  }
  made.op = std::visit([&](const auto& op) { return make_op(op, place); }, node.op);
  return made;
}

}  // namespace qassay
