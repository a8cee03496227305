#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/graph.hpp"

namespace qassay {

/// Adds nodes one behind the other.
class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph) : graph_(graph) {}

  /// The value in hand: the last node's output.
  ValueId value() const { return value_; }
  void go_back_to(ValueId value) { value_ = value; }

  ValueId add(std::string name, const Operator& op) { return add(std::move(name), op, {value_}); }
  ValueId add(std::string name, const Operator& op, std::vector<ValueId> inputs) {
    graph_.nodes.push_back({std::move(name), op, std::move(inputs)});
    return value_ = graph_.nodes.size();
  }

 private:
  Graph& graph_;
  ValueId value_ = 0;
};

}  // namespace qassay
