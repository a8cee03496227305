#pragma once

#include "models/graph.hpp"

namespace qassay {

/// Calls f(name, member) for each number or flag of an operator: the one list of attributes, for
/// whatever reads, writes or prints operators. `Op` is the operator's type, const or not.
template <typename Op, typename F>
void for_each_attribute(Op& op, F f) {
  if constexpr (requires { op.outputs; }) f("outputs", op.outputs);
  if constexpr (requires { op.kernel; }) f("kernel", op.kernel);
  if constexpr (requires { op.stride; }) f("stride", op.stride);
  if constexpr (requires { op.padding; }) f("padding", op.padding);
  if constexpr (requires { op.groups; }) f("groups", op.groups);
  if constexpr (requires { op.bias; }) f("bias", op.bias);
  if constexpr (requires { op.epsilon; }) f("epsilon", op.epsilon);
}

}  // namespace qassay
