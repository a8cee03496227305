#include "quantizers/static_ranges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/extremes.hpp"
#include "models/evaluate.hpp"

namespace qassay {

std::vector<Grid> static_input_grids(Executor& floating, std::size_t layers,
                                     const CalibrationSet& samples) {
  std::vector<Extremes> seen(layers);
  floating.set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix) {
    const Extremes now = extremes(input.data, input.rows * input.cols);
    seen[layer] = {std::min(seen[layer].min, now.min), std::max(seen[layer].max, now.max)};
    if (std::isnan(now.min) || std::isnan(now.max)) seen[layer] = now;
  });
  predict(floating, samples);
  floating.set_hook({});
  std::vector<Grid> grids;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    grids.push_back(asymmetric_grid(seen[layer].min, seen[layer].max, 8, DType::f32,
                                    fmt::format("input of layer {}", layer)));
  }
  return grids;
}

}  // namespace qassay
