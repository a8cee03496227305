#include "models/channel_order.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace qassay {
namespace {

void move_columns(Tensor& weights, const std::vector<std::int64_t>& order) {
  std::vector<float> row(order.size());
  for (std::size_t begin = 0; begin < weights.values.size(); begin += row.size()) {
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = weights.values[begin + static_cast<std::size_t>(order[i])];
    std::copy(row.begin(), row.end(), weights.values.begin() + static_cast<std::ptrdiff_t>(begin));
  }
}

}  // namespace

void order_inputs(Model& model, const ChannelOrders& orders) {
  std::vector<Node> nodes;
  std::vector<ValueId> moved{0};  // the values of the graph as it was, in that with more nodes
  std::map<std::pair<ValueId, std::vector<std::int64_t>>, ValueId> ordered;
  for (Node& node : model.graph.nodes) {
    for (ValueId& input : node.inputs) input = moved[input];
    if (const auto own = orders.find(node.name); own != orders.end()) {
      const auto& order = own->second;
      const auto [entry, is_new] =
          ordered.try_emplace({node.inputs.front(), order}, nodes.size() + 1);
      if (is_new) {
        nodes.push_back({node.name + ".input_order", ChannelOrder{}, node.inputs});
        model.parameters[nodes.back().name + ".order"] = {{static_cast<std::int64_t>(order.size())},
                                                          {order.begin(), order.end()}};
      }
      node.inputs = {entry->second};
      move_columns(model.parameters.at(node.name + ".weight"), order);
    }
    nodes.push_back(std::move(node));
    moved.push_back(nodes.size());
  }
  model.graph.nodes = std::move(nodes);
}

}  // namespace qassay
