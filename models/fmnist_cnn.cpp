#include "models/fmnist_cnn.hpp"

#include <utility>

namespace qassay {
namespace {

/// Adds nodes one behind the other.
class Builder {
 public:
  explicit Builder(Graph& graph) : graph_(graph) {}

  /// The value in hand: the last node's output.
  ValueId value() const { return value_; }

  void add(std::string name, const Operator& op) { add(std::move(name), op, {value_}); }
  void add(std::string name, const Operator& op, std::vector<ValueId> inputs) {
    graph_.nodes.push_back({std::move(name), op, std::move(inputs)});
    value_ = graph_.nodes.size();
  }

  void convolution(const std::string& name, std::int64_t outputs, std::int64_t kernel,
                   std::int64_t stride) {
    add(name, Conv2d{.outputs = outputs,
                     .kernel = kernel,
                     .stride = stride,
                     .padding = kernel / 2,
                     .bias = false});
    add(name + ".norm", BatchNorm{});
  }

  void block(const std::string& name, std::int64_t outputs, std::int64_t stride, bool project) {
    const ValueId input = value_;
    convolution(name + ".conv1", outputs, 3, stride);
    add(name + ".relu1", Relu{});
    convolution(name + ".conv2", outputs, 3, 1);
    const ValueId residual = value_;
    ValueId shortcut = input;
    if (project) {
      value_ = input;
      convolution(name + ".project", outputs, 1, stride);
      shortcut = value_;
    }
    add(name + ".add", Add{}, {residual, shortcut});
    add(name + ".relu2", Relu{});
  }

 private:
  Graph& graph_;
  ValueId value_ = 0;
};

}  // namespace

Model fmnist_cnn() {
  Model model{.name = "fmnist-cnn", .dataset = "fashion-mnist", .graph = {}, .parameters = {}};
  model.graph.input = {28, 28, 1};
  Builder net(model.graph);
  net.convolution("stem", 16, 3, 1);
  net.add("stem.relu", Relu{});
  net.add("stem.pool", MaxPool{.kernel = 2, .stride = 2});
  net.block("block1", 32, 1, true);
  net.block("block2", 64, 2, true);
  net.block("block3", 64, 1, false);
  net.block("block4", 128, 2, true);
  net.add("pool", GlobalAvgPool{});
  net.add("classes", Linear{.outputs = 10});
  return model;
}

TrainingRecipe fmnist_cnn_recipe() {
  return {.epochs = 14,
          .batch = 128,
          .optimizer = Sgd{.momentum = 0.9, .weight_decay = 5e-4},
          .peak_rate = 0.1,
          .warmup_epochs = 1,
          .label_smoothing = 0.05,
          .augmentation = {.max_shift = 2, .flip = true},
          .seed = "fmnist-cnn"};
}

}  // namespace qassay
