#pragma once

#include <cstdint>
#include <vector>

#include "datasets/classification_set.hpp"
#include "models/executor.hpp"

namespace qassay {

/// The predictions for all samples of a set (datasets/scoring.hpp), run in batches of `batch`, at
/// most the executor's samples. Throws std::invalid_argument when set and model do not fit each
/// other.
std::vector<std::uint8_t> predict(Executor& executor, const ClassificationSet& set,
                                  std::int64_t batch);
inline std::vector<std::uint8_t> predict(Executor& executor, const ClassificationSet& set) {
  return predict(executor, set, executor.samples());
}

}  // namespace qassay
