#include "quantizers/static_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/extremes.hpp"
#include "models/evaluate.hpp"

namespace qassay {

std::vector<Grid> static_input_grids(Executor& floating, std::size_t layers,
                                     const CalibrationSet& samples, const RangeChoice& choice) {
  const bool counts = choice.rule != RangeRule::min_max;
  std::vector<Extremes> seen(layers);
  std::vector<ValueHistogram> histograms(counts ? layers : 0);
  floating.set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix) {
    const std::int64_t size = input.rows * input.cols;
    const Extremes now = extremes(input.data, size);
    seen[layer] = {std::min(seen[layer].min, now.min), std::max(seen[layer].max, now.max)};
    if (std::isnan(now.min) || std::isnan(now.max)) seen[layer] = now;
    if (!std::isfinite(now.min) || !std::isfinite(now.max)) return;  // the grid will refuse it
    if (counts) histograms[layer].add(input.data, size);
  });
  predict(floating, samples);
  floating.set_hook({});
  std::vector<Grid> grids;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool finite = std::isfinite(seen[layer].min) && std::isfinite(seen[layer].max);
    const Extremes range = counts && finite ? choose_range(histograms[layer], choice) : seen[layer];
    grids.push_back(asymmetric_grid(range.min, range.max, 8, DType::f32,
                                    fmt::format("input of layer {}", layer)));
  }
  return grids;
}

}  // namespace qassay
