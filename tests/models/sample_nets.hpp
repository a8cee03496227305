#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// `count` normal numbers from a seed of that name.
std::vector<float> normal_numbers(std::int64_t count, const std::string& seed, float deviation = 1);

/// Every parameter that the graph needs, drawn: weights that keep the scale of the values, norms
/// that are not the identity.
Parameters drawn_parameters(const Graph& graph, const std::string& seed);

Model drawn_model(Graph graph);

/// Three linear layers of widths that grow and shrink, with and without bias and ReLU: 5 inputs, 3
/// outputs.
Graph three_layers();

/// A graph with residuals, projections, grouped and depthwise convolutions, all kinds of pooling
/// and activations, values of several uses, and norms of which some can be folded and some cannot.
/// From 9 x 7 images of 4 channels to 5 outputs.
Graph residual_net();

}  // namespace qassay
