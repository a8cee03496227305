#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace qassay {

/// An order of a layer's inputs: input order[i] comes at place i.
using ChannelOrders = std::map<std::string, std::vector<std::int64_t>>;

/// The same function with the inputs of some linear layers, by the name of the node, in orders of
/// their own: the columns of their weights move, and a node in front (ChannelOrder) moves what they
/// read; layers that read one value in one order share it. Each order has each of the layer's
/// inputs once.
void order_inputs(Model& model, const ChannelOrders& orders);

}  // namespace qassay
