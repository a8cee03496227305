#include "harness/worker/leg_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "datasets/image_dataset.hpp"
#include "models/catalogue.hpp"
#include "models/synthetic.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {
namespace {

std::vector<float> first_images(const std::string& model, std::int64_t m) {
  const TestSet test = find_dataset(model_dataset(model)).test();
  std::vector<float> batch(static_cast<std::size_t>(m * test.features));
  for (std::int64_t row = 0; row < m; ++row) {  // a set smaller than m starts again
    fill_batch(test, row % test.count, {batch.data() + row * test.features, 1, test.features});
  }
  return batch;
}

/// The layer's FP32 output, by the reference.
std::vector<float> forward(const LegLayer& leg_layer, std::int64_t m, const Kernel& reference,
                           const Device& device) {
  const LinearLayer& layer = leg_layer.layer;
  const Scheme fp32 = parse_scheme("FP32");
  const QuantMatrix weights = round_to_nearest({layer.weights.data(), layer.n, layer.k}, fp32);
  const auto prepared = reference.prepare({m, layer.n, layer.k, fp32, !layer.bias.empty()}, weights,
                                          layer.bias, device);
  const Buffer workspace(prepared->workspace_bytes());
  std::vector<float> y(static_cast<std::size_t>(m * layer.n));
  prepared->run(leg_layer.x(m), {workspace.data(), workspace.size()}, {y.data(), m, layer.n});
  if (layer.relu)
    std::ranges::transform(y, y.begin(), [](float value) { return std::max(value, 0.0F); });
  return y;
}

std::vector<LegLayer> model_layers_with_inputs(const Group& group, const Model& model,
                                               const Kernel& reference, const Device& device) {
  const std::int64_t m = group.regime.m;
  std::vector<LegLayer> chain;
  std::vector<float> input = first_images(group.model, m);
  for (const LinearLayer& layer : model.layers) {
    chain.push_back({layer, std::move(input)});
    input = forward(chain.back(), m, reference, device);
  }
  std::erase_if(chain, [&](const LegLayer& layer) {
    return std::ranges::none_of(
        group.layers, [&](const LayerShape& shape) { return shape.name == layer.layer.name; });
  });
  return chain;
}

}  // namespace

std::vector<LegLayer> build_layers(const Group& group, const Model* model, const Kernel& reference,
                                   const Device& device) {
  if (model != nullptr) return model_layers_with_inputs(group, *model, reference, device);
  std::vector<LegLayer> layers;
  for (const LayerShape& shape : group.layers) {
    LinearLayer layer =
        synthetic_layer(fmt::format("{}/{}", group.model, shape.name), shape.n, shape.k);
    layer.name = shape.name;
    layers.push_back({std::move(layer), synthetic_activations(group.regime.m, shape.k)});
  }
  return layers;
}

}  // namespace qassay
