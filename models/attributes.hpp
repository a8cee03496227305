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
  if constexpr (requires { op.vocabulary; }) f("vocabulary", op.vocabulary);
  if constexpr (requires { op.channels; }) f("channels", op.channels);
  if constexpr (requires { op.positions; }) f("positions", op.positions);
  if constexpr (requires { op.head; }) f("head", op.head);
  if constexpr (requires { op.base; }) f("base", op.base);
  if constexpr (requires { op.factor; }) f("factor", op.factor);
  if constexpr (requires { op.low; }) f("low", op.low);
  if constexpr (requires { op.high; }) f("high", op.high);
  if constexpr (requires { op.original; }) f("original", op.original);
  if constexpr (requires { op.heads; }) f("heads", op.heads);
  if constexpr (requires { op.kv_heads; }) f("kv_heads", op.kv_heads);
  if constexpr (requires { op.window; }) f("window", op.window);
  if constexpr (requires { op.causal; }) f("causal", op.causal);
}

}  // namespace qassay
