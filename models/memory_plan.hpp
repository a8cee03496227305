#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/graph.hpp"

namespace qassay {

/// Where the values of a graph lie in one piece of memory, so that values that are needed at the
/// same time do not overlap. An operator that works number by number writes over its input where
/// nothing else needs it. The graph's input and output have no place here: they are the caller's.
struct MemoryPlan {
  std::vector<std::size_t> places;  // by value, in floats, for one sample after another
  std::size_t floats = 0;           // in all

  /// Whether a value is the caller's output: the last one, and those it was written over.
  std::vector<bool> is_output;
};

/// For `samples` rows of each value; places are multiples of 16 floats (64 bytes).
MemoryPlan plan_memory(const Graph& graph, std::int64_t samples);

}  // namespace qassay
