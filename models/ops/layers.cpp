// The two operators with weights that are quantized: their sizes and parameters. What computes them
// is a kernel (executor.hpp), or oneDNN when they are trained (layers_onednn.cpp).

#include "models/ops/op.hpp"
#include "models/ops/parallel.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kMostKernel = 4096;  // so that no product of sizes overflows

}  // namespace

Extent output_extent(const Linear& op, std::span<const Extent> inputs) {
  require(op.outputs >= 1, "needs outputs >= 1");
  require(inputs.front().is_sequence(), "takes a vector or a sequence; flatten the image first");
  return {1, inputs.front().width, op.outputs};
}

Extent output_extent(const Conv2d& op, std::span<const Extent> inputs) {
  const Extent& in = inputs.front();
  require(op.outputs >= 1 && op.kernel >= 1 && op.stride >= 1 && op.groups >= 1,
          "needs outputs, kernel, stride and groups >= 1");
  require(op.kernel <= kMostKernel && op.padding <= kMostKernel,
          "has a kernel or padding beyond 4096");
  require(in.channels % op.groups == 0 && op.outputs % op.groups == 0,
          "has groups that do not divide its channels and outputs");
  require(op.kernel <= in.height + 2 * op.padding && op.kernel <= in.width + 2 * op.padding,
          "has a kernel larger than its input");
  const Convolution convolution = convolution_of(op, in);
  return {convolution.out_height(), convolution.out_width(), op.outputs};
}

Convolution convolution_of(const Conv2d& op, const Extent& input) {
  return {.height = input.height,
          .width = input.width,
          .channels = input.channels,
          .kernel_height = op.kernel,
          .kernel_width = op.kernel,
          .stride = op.stride,
          .padding = op.padding,
          .groups = op.groups};
}

std::vector<ParameterShape> own_parameters(const Operator& op, std::span<const Extent> inputs) {
  const Extent& in = inputs.front();
  if (const auto* linear = std::get_if<Linear>(&op)) {
    std::vector<ParameterShape> shapes{{"weight", {linear->outputs, in.channels}}};
    if (linear->bias) shapes.push_back({"bias", {linear->outputs}});
    return shapes;
  }
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    std::vector<ParameterShape> shapes{
        {"weight", {conv->outputs, conv->kernel, conv->kernel, in.channels / conv->groups}}};
    if (conv->bias) shapes.push_back({"bias", {conv->outputs}});
    return shapes;
  }
  if (const auto* table = std::get_if<Embedding>(&op))
    return {{"weight", {table->vocabulary, table->channels}}};
  if (const auto* table = std::get_if<PositionEmbedding>(&op))
    return {{"weight", {table->positions, in.channels}}};
  if (std::holds_alternative<RmsNorm>(op) || std::holds_alternative<ChannelScale>(op))
    return {{"weight", {in.channels}}};
  if (std::holds_alternative<ChannelOrder>(op)) return {{"order", {in.channels}}};
  if (std::holds_alternative<LayerNorm>(op))
    return {{"weight", {in.channels}}, {"bias", {in.channels}}};
  if (std::holds_alternative<BatchNorm>(op)) {
    std::vector<ParameterShape> shapes;
    for (const char* name : {"weight", "bias", "running_mean", "running_var"})
      shapes.push_back({name, {in.channels}});
    return shapes;
  }
  return {};
}

}  // namespace qassay
