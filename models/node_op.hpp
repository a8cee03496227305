#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "models/model.hpp"
#include "models/ops/op.hpp"

namespace qassay {

/// An operator at its place in a model, with copies of its parameters.
struct NodeOp {
  std::vector<std::unique_ptr<Tensor>> parameters;
  std::unique_ptr<Op> op;
};

/// The operator of node `index`, which is no layer. `extents`: of every value. `text`: as in
/// OpPlace.
NodeOp make_node_op(const Model& model, std::size_t index, std::span<const Extent> extents,
                    std::int64_t samples, int threads, const TextState* text = nullptr);

}  // namespace qassay
