#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/convolution.hpp"

namespace qassay {

/// The size of one sample's value: an image[height, width, channels], or a vector of `channels`.
struct Extent {
  std::int64_t height = 1, width = 1, channels = 0;

  std::int64_t features() const { return height * width * channels; }
  bool is_vector() const { return height == 1 && width == 1; }
  bool operator==(const Extent&) const = default;
};

/// The operators. Kernels, strides and paddings are the same in both directions; padding is with
/// zeros, which pooling leaves out of account.
///
/// y = x W^T + b; takes a vector.
struct Linear {
  std::int64_t outputs = 0;
  bool bias = true;
  bool operator==(const Linear&) const = default;
};
/// core/convolution.hpp says the layout of its weights.
struct Conv2d {
  std::int64_t outputs = 0;
  std::int64_t kernel = 1, stride = 1, padding = 0, groups = 1;
  bool bias = true;
  bool operator==(const Conv2d&) const = default;
};
/// y = weight (x - mean) / sqrt(var + epsilon) + bias, by channel (Ioffe and Szegedy 2015,
/// arXiv:1502.03167). Trained with the batch's mean and variance, evaluated with the running ones.
struct BatchNorm {
  double epsilon = 1e-5;
  bool operator==(const BatchNorm&) const = default;
};
struct Relu {  // max(x, 0)
  bool operator==(const Relu&) const = default;
};
struct Relu6 {  // min(max(x, 0), 6)
  bool operator==(const Relu6&) const = default;
};
struct HardSwish {  // x relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244)
  bool operator==(const HardSwish&) const = default;
};
struct MaxPool {
  std::int64_t kernel = 1, stride = 1, padding = 0;
  bool operator==(const MaxPool&) const = default;
};
struct AvgPool {
  std::int64_t kernel = 1, stride = 1, padding = 0;
  bool operator==(const AvgPool&) const = default;
};
struct GlobalAvgPool {
  bool operator==(const GlobalAvgPool&) const = default;
};
struct Add {  // of two values of one extent
  bool operator==(const Add&) const = default;
};
struct Flatten {  // an image to a vector, in the order of memory
  bool operator==(const Flatten&) const = default;
};
struct Softmax {  // of a vector
  bool operator==(const Softmax&) const = default;
};

using Operator = std::variant<Linear, Conv2d, BatchNorm, Relu, Relu6, HardSwish, MaxPool, AvgPool,
                              GlobalAvgPool, Add, Flatten, Softmax>;

/// "linear", "conv2d", "batch_norm", ...: the operator's name in files and messages.
std::string_view kind_name(const Operator& op);

/// A value is what flows between nodes: value 0 is the graph's input, value i + 1 the output of
/// nodes[i].
using ValueId = std::size_t;

struct Node {
  std::string name;
  Operator op;
  std::vector<ValueId> inputs;
  bool operator==(const Node&) const = default;
};

/// Kind, attributes and inputs as text: equal for equal nodes.
std::string describe(const Node& node);

/// Nodes in an order in which they can be computed. The last one gives the model's output.
struct Graph {
  Extent input;
  std::vector<Node> nodes;
  bool operator==(const Graph&) const = default;
};

/// The extent of every value. Throws InputError naming the node when the graph is none: no nodes,
/// a name that is empty or used twice, an input that does not come before, an output that nothing
/// uses, numbers out of range, or extents that do not fit.
std::vector<Extent> infer_extents(const Graph& graph);

/// What is known of a layer (a linear or convolution node) without its weights.
struct LayerShape {
  std::string name;
  std::int64_t n = 0;  // out features or channels
  std::int64_t k = 0;  // in features, or of a patch
  std::optional<Convolution> convolution = std::nullopt;
  bool bias = false;

  bool operator==(const LayerShape&) const = default;
};

/// In the order of the nodes.
std::vector<LayerShape> layer_shapes(const Graph& graph);

}  // namespace qassay
