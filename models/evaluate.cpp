#include "models/evaluate.hpp"

#include <algorithm>
#include <stdexcept>

#include "datasets/scoring.hpp"

namespace qassay {

std::vector<std::uint8_t> predict(Executor& executor, const ClassificationSet& set,
                                  std::int64_t batch) {
  if (executor.features() != set.features || executor.outputs() != set.classes) {
    throw std::invalid_argument("a model of other features or classes than " + set.name);
  }
  std::vector<float> inputs(static_cast<std::size_t>(batch * set.features));
  std::vector<float> outputs(static_cast<std::size_t>(batch * set.classes));
  std::vector<std::uint8_t> predictions;
  predictions.reserve(static_cast<std::size_t>(set.count));
  for (std::int64_t first = 0; first < set.count; first += batch) {
    const std::int64_t rows = std::min(batch, set.count - first);
    const Matrix x(inputs.data(), rows, set.features);
    const Matrix y(outputs.data(), rows, set.classes);
    fill_batch(set, first, x);
    executor.run(x, y);
    const std::vector<std::uint8_t> found = predict(y);
    predictions.insert(predictions.end(), found.begin(), found.end());
  }
  return predictions;
}

}  // namespace qassay
