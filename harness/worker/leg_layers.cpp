#include "harness/worker/leg_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "datasets/calibration.hpp"
#include "datasets/image_dataset.hpp"
#include "harness/worker/float_run.hpp"
#include "harness/worker/model_batch.hpp"
#include "harness/worker/text_evaluation.hpp"
#include "models/synthetic.hpp"
#include "quantizers/static_ranges.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kCalibrationImages = 1024;
/// The same in every regime, so that the ranges are.
constexpr std::int64_t kCalibrationBatch = 128;
constexpr std::string_view kCalibrationSeed = "static activations";

bool needs_ranges(const Group& group, const std::vector<LegLayer>& layers) {
  return std::ranges::any_of(
             group.cases,
             [](const CaseRow& row) { return parse_scheme(row.scheme).quantizes_input(); }) &&
         std::ranges::any_of(layers, [](const LegLayer& layer) {
           return layer.layer.shape.convolution.has_value();
         });
}

void calibrate(const Model& model, Executor& floating, std::vector<LegLayer>& layers) {
  const CalibrationSet samples = draw_calibration_set(find_dataset(model.dataset).training(),
                                                      kCalibrationImages, kCalibrationSeed);
  const std::vector<Grid> grids = static_input_grids(floating, layers.size(), samples);
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].input_grid = grids[i];
}

std::vector<LegLayer> layers_of_model(const Group& group, const Model& model,
                                      const KernelChoice& kernels, const Device& device) {
  const std::int64_t m = group.regime.m;
  std::vector<LegLayer> layers;
  for (const LayerShape& shape : layer_shapes(model.graph))
    layers.push_back({layer_of(model, shape), {}, {}, {}});

  const bool calibrates = needs_ranges(group, layers);
  FloatRun run(model, kernels, calibrates ? std::max(m, kCalibrationBatch) : m, device);
  if (calibrates) calibrate(model, run.executor(), layers);
  run.executor().set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix output) {
    layers[layer].input.assign(input.data, input.data + m * input.cols);
    layers[layer].output.assign(output.data, output.data + m * output.cols);
  });
  const std::vector<float> inputs = first_inputs(model, m);
  const std::int64_t samples = batch_of(model.graph, m).samples;
  std::vector<float> scores(static_cast<std::size_t>(samples * run.executor().outputs()));
  run.executor().run({inputs.data(), samples, run.executor().features()},
                     {scores.data(), samples, run.executor().outputs()});
  std::erase_if(layers, [&](const LegLayer& layer) {
    return std::ranges::none_of(group.layers, [&](const LayerShape& shape) {
      return shape.name == layer.layer.shape.name;
    });
  });
  return layers;
}

}  // namespace

std::vector<float> first_inputs(const Model& model, std::int64_t m) {
  if (takes_text(model.graph)) {
    const std::vector<std::int32_t> tokens = test_tokens(model, m, 1);
    return {tokens.begin(), tokens.end()};
  }
  const TestSet test = find_dataset(model.dataset).test();
  std::vector<float> batch(static_cast<std::size_t>(m * test.features));
  for (std::int64_t row = 0; row < m; ++row)
    fill_batch(test, row % test.count, {batch.data() + row * test.features, 1, test.features});
  return batch;
}

std::vector<LegLayer> build_layers(const Group& group, const Model* model,
                                   const KernelChoice& kernels, const Device& device) {
  if (model != nullptr) return layers_of_model(group, *model, kernels, device);
  std::vector<LegLayer> layers;
  for (const LayerShape& shape : group.layers) {
    Layer layer = synthetic_layer(fmt::format("{}/{}", group.model, shape.name), shape.n, shape.k);
    layer.shape.name = shape.name;
    layers.push_back({std::move(layer), synthetic_activations(group.regime.m, shape.k), {}, {}});
  }
  return layers;
}

}  // namespace qassay
