#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/matrix_view.hpp"
#include "models/graph.hpp"

namespace qassay {

/// An array of any rank, row-major.
struct Tensor {
  std::vector<std::int64_t> dims;
  std::vector<float> values;  // as many as the product of dims

  bool operator==(const Tensor&) const = default;
};

/// By name: "NODE.weight", "NODE.bias", "NODE.running_mean", "NODE.running_var".
using Parameters = std::map<std::string, Tensor>;

struct ParameterShape {
  std::string name;
  std::vector<std::int64_t> dims;
};

/// What a graph needs, in the order of its nodes:
///   linear      weight[n, k], bias[n]
///   conv2d      weight[n, kernel_height, kernel_width, group_channels], bias[n]
///   batch_norm  weight, bias, running_mean, running_var [channels]
std::vector<ParameterShape> parameter_shapes(const Graph& graph);

/// A float model. Its last node gives the scores of the classes.
struct Model {
  std::string name;
  std::string dataset;  // datasets/image_dataset.hpp: what it is evaluated on
  Graph graph;
  Parameters parameters;

  bool operator==(const Model&) const = default;
};

/// Throws InputError naming `place` and the parameter unless the graph is one and the parameters
/// are those that it needs, finite.
void check_model(const Model& model, std::string_view place);

/// One layer by itself, from a model or made for its shape alone.
struct Layer {
  LayerShape shape;
  std::vector<float> weights;  // [n, k]
  std::vector<float> bias;     // [n], or empty for none

  ConstMatrix matrix() const { return {weights.data(), shape.n, shape.k}; }
};

Layer layer_of(const Model& model, const LayerShape& shape);

/// Every parameter rounded to FP16, so that half the bytes store it.
void round_to_halves(Model& model);

/// SHA-256 over graph and the bits of all parameters.
std::string content_hash(const Model& model);

}  // namespace qassay
