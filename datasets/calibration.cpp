#include "datasets/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "core/seed.hpp"

namespace qassay {

CalibrationSet draw_calibration_set(const TrainingSet& training, std::int64_t count,
                                    std::string_view seed_name) {
  count = std::min(count, training.count);
  std::vector<std::int64_t> order(static_cast<std::size_t>(training.count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Random random(seed_from_name(seed_name));
  CalibrationSet set;
  set.name = fmt::format("{}/calibration", training.name);
  set.hash = sha256(fmt::format("{} {} {}", training.hash, count, seed_name));
  set.count = count;
  set.height = training.height;
  set.width = training.width;
  set.features = training.features;
  set.classes = training.classes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    std::swap(order[i], order[i + random.below(order.size() - i)]);
    const auto pixels = training.pixels.begin() + order[i] * training.features;
    set.pixels.insert(set.pixels.end(), pixels, pixels + training.features);
    set.labels.push_back(training.labels[static_cast<std::size_t>(order[i])]);
  }
  return set;
}

}  // namespace qassay
