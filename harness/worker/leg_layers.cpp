#include "harness/worker/leg_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/seed.hpp"
#include "datasets/calibration.hpp"
#include "datasets/image_dataset.hpp"
#include "harness/worker/float_run.hpp"
#include "harness/worker/model_batch.hpp"
#include "models/synthetic.hpp"
#include "quantizers/static_ranges.hpp"

namespace qassay {
namespace {

/// The same in every regime, so that the ranges are.
constexpr std::int64_t kCalibrationBatch = 128;
constexpr std::string_view kCalibrationSeed = "static activations";

std::vector<LegLayer> layers_of_model(const Group& group, const Model& model,
                                      std::span<const float> inputs, const KernelChoice& kernels,
                                      const Device& device) {
  const std::int64_t m = group.regime.m;
  std::vector<LegLayer> layers;
  for (const LayerShape& shape : layer_shapes(model.graph))
    layers.push_back({layer_of(model, shape), {}, {}});

  FloatRun run(model, kernels, m, device);
  run.executor().set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix output) {
    layers[layer].input.assign(input.data, input.data + input.rows * input.cols);
    layers[layer].output.assign(output.data, output.data + output.rows * output.cols);
  });
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

std::vector<float> drawn_ids(const Model& model, std::int64_t m) {
  Random random(seed_from_name(model.name));
  std::vector<float> ids(static_cast<std::size_t>(m));
  const auto vocabulary = static_cast<std::uint64_t>(vocabulary_of(model.graph));
  for (float& id : ids) id = static_cast<float>(random.below(vocabulary));
  return ids;
}

}  // namespace

std::vector<float> first_inputs(const Model& model, std::int64_t m, const EvaluationText* text) {
  if (text != nullptr) {
    const std::vector<std::int32_t> ids = text->ids(text->windows.front());
    return {ids.begin(), ids.end()};
  }
  const std::int64_t samples = batch_of(model.graph, m).samples;
  if (takes_text(model.graph)) return drawn_ids(model, m);
  const std::int64_t features = model.graph.input.features();
  std::vector<float> batch(static_cast<std::size_t>(samples * features));
  if (model.dataset.empty()) {
    fill_synthetic(batch, model.name + " input", 1);
    return batch;
  }
  const TestSet test = find_dataset(model.dataset).test();
  for (std::int64_t row = 0; row < samples; ++row)
    fill_batch(test, row % test.count, {batch.data() + row * test.features, 1, test.features});
  return batch;
}

std::vector<LegLayer> build_layers(const Group& group, const Model* model,
                                   std::span<const float> inputs, const KernelChoice& kernels,
                                   const Device& device) {
  if (model != nullptr) return layers_of_model(group, *model, inputs, kernels, device);
  std::vector<LegLayer> layers;
  for (const LayerShape& shape : group.layers) {
    Layer layer = synthetic_layer(fmt::format("{}/{}", group.model, shape.name), shape.n, shape.k);
    layer.shape.name = shape.name;
    layers.push_back({std::move(layer), synthetic_activations(group.regime.m, shape.k), {}});
  }
  return layers;
}

std::vector<Grid> input_grids(const Model& model, const Method& method, const KernelChoice& kernels,
                              const Device& device) {
  const CalibrationSet samples = draw_calibration_set(find_dataset(model.dataset).training(),
                                                      range_samples(method), kCalibrationSeed);
  FloatRun run(model, kernels, kCalibrationBatch, device);
  return static_input_grids(run.executor(), layer_shapes(model.graph).size(), samples,
                            method.ranges);
}

}  // namespace qassay
