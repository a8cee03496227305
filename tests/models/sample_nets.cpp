#include "tests/models/sample_nets.hpp"

#include <cmath>
#include <utility>

#include "core/seed.hpp"

namespace qassay {

std::vector<float> normal_numbers(std::int64_t count, const std::string& seed, float deviation) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  fill_normal(numbers, seed_from_name(seed), deviation);
  return numbers;
}

Parameters drawn_parameters(const Graph& graph, const std::string& seed) {
  Parameters parameters;
  for (const ParameterShape& shape : parameter_shapes(graph)) {
    std::int64_t size = 1;
    for (const std::int64_t dim : shape.dims) size *= dim;
    const bool is_layer = shape.dims.size() > 1;
    const auto inputs = static_cast<float>(size) / static_cast<float>(shape.dims.front());
    std::vector<float> values =
        normal_numbers(size, seed + "/" + shape.name, is_layer ? std::sqrt(2 / inputs) : 0.3F);
    for (float& value : values) {
      if (shape.name.ends_with("running_var")) value = 0.5F + std::fabs(value);
      if (!is_layer && shape.name.ends_with(".weight")) value = 1 + value;
    }
    parameters[shape.name] = {shape.dims, std::move(values)};
  }
  return parameters;
}

Model drawn_model(Graph graph) {
  Parameters parameters = drawn_parameters(graph, "sample");
  return {"sample", "none", std::move(graph), std::move(parameters)};
}

Graph three_layers() {
  return {{1, 1, 5},
          {{"a", Linear{.outputs = 7}, {0}},
           {"a.relu", Relu{}, {1}},
           {"b", Linear{.outputs = 13, .bias = false}, {2}},
           {"b.relu", Relu{}, {3}},
           {"c", Linear{.outputs = 3}, {4}}}};
}

Graph residual_net() {
  const auto plain = [](std::int64_t outputs, std::int64_t kernel, std::int64_t stride) {
    return Conv2d{.outputs = outputs, .kernel = kernel, .stride = stride, .padding = kernel / 2};
  };
  Conv2d stem = plain(8, 3, 1);
  stem.bias = false;
  Conv2d grouped = plain(12, 3, 1);
  grouped.groups = 4;
  Conv2d depthwise = plain(12, 3, 2);
  depthwise.groups = 12;
  depthwise.bias = false;
  return {{9, 7, 4},
          {{"stem", stem, {0}},
           {"stem.norm", BatchNorm{}, {1}},  // folds
           {"stem.relu", Relu{}, {2}},
           {"stem.pool", MaxPool{.kernel = 3, .stride = 2, .padding = 1}, {3}},  // 5 x 4 x 8
           {"grouped", grouped, {4}},
           {"grouped.norm", BatchNorm{.epsilon = 1e-3}, {5}},  // folds
           {"grouped.swish", HardSwish{}, {6}},
           {"depthwise", depthwise, {7}},  // 3 x 2 x 12
           {"depthwise.norm", BatchNorm{}, {8}},
           {"project", plain(12, 1, 2), {4}},
           {"sum", Add{}, {9, 10}},
           {"sum.norm", BatchNorm{}, {11}},  // stays: behind an addition
           {"sum.relu6", Relu6{}, {12}},
           {"mean", AvgPool{.kernel = 2, .stride = 1, .padding = 1}, {13}},  // 4 x 3 x 12
           {"pixel", plain(12, 1, 1), {14}},
           {"pixel.norm", BatchNorm{}, {15}},  // stays: the layer is used twice
           {"residual", Add{}, {16, 15}},
           {"more", Add{}, {14, 17}},
           {"flat", Flatten{}, {18}},
           {"wide", Linear{.outputs = 9}, {19}},
           {"pooled", GlobalAvgPool{}, {18}},
           {"narrow", Linear{.outputs = 9, .bias = false}, {21}},
           {"narrow.norm", BatchNorm{}, {22}},  // folds into a linear layer
           {"both", Add{}, {20, 23}},
           {"both.relu", Relu{}, {24}},
           {"twice", Add{}, {25, 25}},
           {"classes", Linear{.outputs = 5}, {26}}}};
}

}  // namespace qassay
