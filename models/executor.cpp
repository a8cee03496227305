#include "models/executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/memory_plan.hpp"

namespace qassay {
Executor::Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t m_max,
                   int threads)
    : m_max_(m_max) {
  const auto layers = static_cast<std::size_t>(
      std::ranges::count_if(model.graph.nodes, [](const Node& node) { return is_layer(node.op); }));
  if (prepared.size() != layers || m_max < 1 ||
      std::ranges::find(prepared, nullptr) != prepared.end()) {
    throw std::invalid_argument(
        "an executor needs a prepared kernel for each layer, and m_max > 0");
  }
  const std::vector<Extent> extents = infer_extents(model.graph);
  for (const Extent& extent : extents) features_.push_back(extent.features());
  const MemoryPlan plan = plan_memory(model.graph, m_max);
  memory_ = Buffer(plan.floats * sizeof(float));
  places_ = plan.places;
  is_output_ = plan.is_output;

  std::size_t layer = 0;
  std::size_t workspace = 0;
  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const Node& node = model.graph.nodes[i];
    Step step;
    step.inputs = node.inputs;
    step.output = i + 1;
    if (is_layer(node.op)) {
      step.layer = layer++;
      step.kernel = prepared[step.layer];
      workspace = std::max(workspace, step.kernel->workspace_bytes());
    } else {
      step.op = make(node, extents, i + 1, threads, model.parameters);
    }
    steps_.push_back(std::move(step));
  }
  workspace_ = Buffer(workspace);
}

std::unique_ptr<Op> Executor::make(const Node& node, const std::vector<Extent>& extents,
                                   ValueId output, int threads, const Parameters& parameters) {
  OpPlace place{.inputs = {},
                .output = extents[output],
                .samples = m_max_,
                .threads = threads,
                .parameters = {},
                .gradients = {}};
  for (const ValueId input : node.inputs) place.inputs.push_back(extents[input]);
  for (const ParameterShape& shape : own_parameters(node.op, place.inputs)) {
    parameters_.push_back(
        std::make_unique<Tensor>(parameters.at(fmt::format("{}.{}", node.name, shape.name))));
    place.parameters.push_back(parameters_.back().get());
  }
  return std::visit([&](const auto& op) { return make_op(op, place); }, node.op);
}

Matrix Executor::value(ValueId id, std::int64_t rows, Matrix y) const {
  float* const data = is_output_[id] ? y.data : memory_.as<float>() + places_[id];
  return {data, rows, features_[id]};
}

void Executor::run(ConstMatrix x, Matrix y) {
  if (x.rows < 1 || x.rows > m_max_ || y.rows != x.rows || x.cols != features() ||
      y.cols != outputs() || x.stride != x.cols || y.stride != y.cols) {
    throw std::invalid_argument("a batch that does not fit the executor");
  }
  const std::span<std::byte> workspace(workspace_.data(), workspace_.size());
  for (const Step& step : steps_) {
    ConstMatrix inputs[2];
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      inputs[i] = step.inputs[i] == 0 ? x : value(step.inputs[i], x.rows, y);
    const Matrix output = value(step.output, x.rows, y);
    if (step.kernel != nullptr) {
      step.kernel->run(inputs[0], workspace, output);
      if (hook_) hook_(step.layer, inputs[0], output);
    } else {
      step.op->forward({inputs, step.inputs.size()}, output, Mode::inference);
    }
  }
}

}  // namespace qassay
