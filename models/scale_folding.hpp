#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "models/model.hpp"

namespace qassay {

/// Linear layers that read one value: the scales of their input channels are one set.
struct SharedInput {
  ValueId value = 0;
  std::vector<std::size_t> layers;     // indices into layer_shapes()
  std::vector<std::string> producers;  // parameters that take the factors: rows, or numbers
  std::optional<Refusal> refusal;      // why nothing before can take them, or nothing
};

/// All of a graph, in the order of their first layers. Factors can go into
///   a norm's weight and bias, or factors that are there already,
///   a linear layer's rows and bias, also through ReLU, through the one side of a product that a
///   linear layer gives, and through attention whose heads share no keys and values,
/// where nothing but the linear layers reads what is between. (AWQ, arXiv:2306.00978, and
/// SmoothQuant, arXiv:2211.10438, fold their scales so.)
std::vector<SharedInput> shared_inputs(const Graph& graph);

/// The same function with the weights of these layers times scales[k] by column, and what makes
/// their input divided by them. Scales are positive; those that are no powers of two round.
/// Precondition: no refusal.
void fold_scales(Model& model, const SharedInput& input, std::span<const float> scales);

/// The same with a node of its own (ChannelScale) in front of the layers, which takes the factors:
/// for what refuses them. Other readers of the value keep it as it is. `input` may be of the graph
/// as it was before other such nodes.
void insert_scales(Model& model, const SharedInput& input, std::span<const float> scales);

/// The node without the factors in the layers' weights; all ones. Returns its name.
std::string insert_channel_scale(Model& model, const SharedInput& input);
/// What that name is.
std::string channel_scale_name(const Graph& graph, const SharedInput& input);

}  // namespace qassay
