#pragma once

#include <cstdint>

#include "models/graph.hpp"

namespace qassay {

/// How a whole model takes m rows of activations at once: m samples, or one text of m tokens.
struct ModelBatch {
  std::int64_t samples = 1;
  std::int64_t positions = 0;  // of a text; 0 for other models
};

inline ModelBatch batch_of(const Graph& graph, std::int64_t m) {
  return takes_text(graph) ? ModelBatch{1, m} : ModelBatch{m, 0};
}

}  // namespace qassay
