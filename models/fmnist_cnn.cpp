#include "models/fmnist_cnn.hpp"

#include <utility>

#include "models/graph_builder.hpp"

namespace qassay {
namespace {

class Net {
 public:
  explicit Net(Graph& graph) : nodes_(graph) {}

  void add(std::string name, const Operator& op) { nodes_.add(std::move(name), op); }

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
    const ValueId input = nodes_.value();
    convolution(name + ".conv1", outputs, 3, stride);
    add(name + ".relu1", Relu{});
    convolution(name + ".conv2", outputs, 3, 1);
    const ValueId residual = nodes_.value();
    ValueId shortcut = input;
    if (project) {
      nodes_.go_back_to(input);
      convolution(name + ".project", outputs, 1, stride);
      shortcut = nodes_.value();
    }
    nodes_.add(name + ".add", Add{}, {residual, shortcut});
    add(name + ".relu2", Relu{});
  }

 private:
  GraphBuilder nodes_;
};

}  // namespace

Model fmnist_cnn() {
  Model model{.name = "fmnist-cnn", .dataset = "fashion-mnist", .graph = {}, .parameters = {}};
  model.graph.input = {28, 28, 1};
  Net net(model.graph);
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
          .seed = "fmnist-cnn"};
}

ImageLessons fmnist_cnn_lessons(const TrainingSet& set) {
  return {set, 0.05, {.max_shift = 2, .flip = true}};
}

}  // namespace qassay
