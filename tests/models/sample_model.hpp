#pragma once

#include "models/model.hpp"

namespace qassay {

/// A small model with a branch, attributes of each type, and a parameter that is -0.
inline Model sample_model() {
  Model model;
  model.name = "small";
  model.dataset = "fashion-mnist";
  model.graph.input = {4, 4, 1};
  model.graph.nodes = {
      {"stem", Conv2d{.outputs = 2, .kernel = 3, .padding = 1, .bias = false}, {0}},
      {"norm", BatchNorm{.epsilon = 0.1}, {1}},
      {"relu", Relu{}, {2}},
      {"sum", Add{}, {3, 1}},
      {"pool", GlobalAvgPool{}, {4}},
      {"head", Linear{.outputs = 3}, {5}},
  };
  float value = 0;
  for (const ParameterShape& shape : parameter_shapes(model.graph)) {
    std::size_t size = 1;
    for (const std::int64_t dim : shape.dims) size *= static_cast<std::size_t>(dim);
    Tensor& tensor = model.parameters[shape.name];
    tensor.dims = shape.dims;
    while (tensor.values.size() < size) tensor.values.push_back(value += 0.1F);
  }
  model.parameters["head.bias"].values[1] = -0.0F;
  return model;
}

}  // namespace qassay
