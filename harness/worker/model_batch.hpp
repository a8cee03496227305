#pragma once

#include <cstdint>

#include "models/graph.hpp"

namespace qassay {

/// How a whole model takes m rows at once: one text of m tokens, or as many samples as give m
/// positions (images: one each).
struct ModelBatch {
  std::int64_t samples = 1;
  std::int64_t positions = 0;  // of a text; 0 for other models
};

inline ModelBatch batch_of(const Graph& graph, std::int64_t m) {
  if (takes_text(graph)) return {1, m};
  return {m / infer_extents(graph).back().width, 0};
}

}  // namespace qassay
