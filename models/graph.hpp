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

/// The size of one sample's value: an image[height, width, channels], a vector of `channels`, or a
/// sequence of them, which is an image of height 1 whose width counts its positions. The positions
/// of a text are the most that it may have: it may be run on fewer (executor.hpp).
struct Extent {
  std::int64_t height = 1, width = 1, channels = 0;

  std::int64_t features() const { return height * width * channels; }
  bool is_vector() const { return height == 1 && width == 1; }
  bool is_sequence() const { return height == 1; }
  bool operator==(const Extent&) const = default;
};

/// The operators. Kernels, strides and paddings are the same in both directions; padding is with
/// zeros, which pooling leaves out of account.
///
/// y = x W^T + b; takes a vector, or a sequence and works on each position.
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

/// Operators on sequences.
///
/// The rows of a table that the input names: ids as numbers, one a position.
struct Embedding {
  std::int64_t vocabulary = 0, channels = 0;
  bool operator==(const Embedding&) const = default;
};
/// Adds row p of a table to position p.
struct PositionEmbedding {
  std::int64_t positions = 0;
  bool operator==(const PositionEmbedding&) const = default;
};
/// y = weight x / sqrt(mean(x^2) + epsilon) over the channels (Zhang and Sennrich 2019,
/// arXiv:1910.07467).
struct RmsNorm {
  double epsilon = 1e-5;
  bool operator==(const RmsNorm&) const = default;
};
/// y = weight (x - mean) / sqrt(var + epsilon) + bias over the channels (Ba et al. 2016,
/// arXiv:1607.06450).
struct LayerNorm {
  double epsilon = 1e-5;
  bool operator==(const LayerNorm&) const = default;
};
/// y = weight x, channel by channel: what AWQ and SmoothQuant divide a layer's input by where no
/// operator before it can take the factors (scale_folding.hpp).
struct ChannelScale {
  bool operator==(const ChannelScale&) const = default;
};
/// y[i] = x[order[i]] among the channels: what layers whose groups of inputs do not lie side by
/// side take (channel_order.hpp).
struct ChannelOrder {
  bool operator==(const ChannelOrder&) const = default;
};
/// Turns channel i of each head and channel i + head / 2 by the angle position * f(i), f(i) =
/// base^(-2 i / head) (Su et al. 2021, arXiv:2104.09864, in the order of channels that Llama has).
/// `factor` above 1 slows all of them down; where `original` is positive, only those that turn
/// less than `low` times in as many positions, and in part those up to `high` times (Llama 3.1).
struct Rotary {
  std::int64_t head = 0;
  double base = 10000;
  double factor = 1, low = 1, high = 4;
  std::int64_t original = 0;
  bool operator==(const Rotary&) const = default;
};
/// softmax(q k^T / sqrt(head)) v for each of `heads`, from three sequences: q[heads head], k and
/// v[kv_heads head]; heads / kv_heads of q share a head of k and v (Vaswani et al. 2017,
/// arXiv:1706.03762; Ainslie et al. 2023, arXiv:2305.13245). `causal`: position i of q looks at
/// 0 ... i of k, and only at the last `window` of those where that is positive.
struct Attention {
  std::int64_t heads = 1, kv_heads = 1, window = 0;
  bool causal = true;
  bool operator==(const Attention&) const = default;
};
struct Silu {  // x / (1 + exp(-x)) (Elfwing et al. 2017, arXiv:1702.03118)
  bool operator==(const Silu&) const = default;
};
struct Gelu {  // x Phi(x), of the normal distribution (Hendrycks and Gimpel 2016, arXiv:1606.08415)
  bool operator==(const Gelu&) const = default;
};
struct GeluTanh {  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2: the same, nearly (ibid.)
  bool operator==(const GeluTanh&) const = default;
};
struct Multiply {  // two values of one extent, number by number
  bool operator==(const Multiply&) const = default;
};
/// The windows of a sequence: y[p] = x[p stride - padding ... + kernel - 1], zeros beyond the ends.
/// With a linear layer behind it, whose weights are [outputs, kernel, channels], a convolution.
struct Unfold {
  std::int64_t kernel = 1, stride = 1, padding = 0;
  bool operator==(const Unfold&) const = default;
};

using Operator =
    std::variant<Linear, Conv2d, BatchNorm, Relu, Relu6, HardSwish, MaxPool, AvgPool, GlobalAvgPool,
                 Add, Flatten, Softmax, Embedding, PositionEmbedding, RmsNorm, LayerNorm, Rotary,
                 Attention, Silu, Gelu, GeluTanh, Multiply, Unfold, ChannelScale, ChannelOrder>;

/// "linear", "conv2d", "batch_norm", ...: the operator's name in files and messages.
std::string_view kind_name(const Operator& op);
/// How many values an operator takes.
std::size_t input_count(const Operator& op);
/// A linear layer or convolution: what has weights that are quantized.
bool is_layer(const Operator& op);

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

/// Of one value of one sample.
inline constexpr std::int64_t kMostFeatures = std::int64_t{1} << 31;

/// Whether its input are ids of tokens.
bool takes_text(const Graph& graph);

/// Ids of tokens that the model takes. Throws std::invalid_argument for one that takes none.
std::int64_t vocabulary_of(const Graph& graph);

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
  /// Of activations, for each position that the model gives: more where a sequence is shortened.
  std::int64_t rows = 1;

  bool operator==(const LayerShape&) const = default;
};

/// In the order of the nodes.
std::vector<LayerShape> layer_shapes(const Graph& graph);

}  // namespace qassay
