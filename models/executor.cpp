#include "models/executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "models/memory_plan.hpp"

namespace qassay {
Executor::Executor(const Model& model, std::span<Prepared* const> prepared, std::int64_t samples,
                   int threads, const TextOptions& text)
    : samples_(samples),
      takes_text_(takes_text(model.graph)),
      context_(model.graph.input.width),
      text_(std::make_unique<TextState>(TextState{.past = 0, .format = text.kv_cache})) {
  const auto layers = static_cast<std::size_t>(
      std::ranges::count_if(model.graph.nodes, [](const Node& node) { return is_layer(node.op); }));
  if (prepared.size() != layers || samples < 1 || text.positions < 0 ||
      text.positions > model.graph.input.width ||
      std::ranges::find(prepared, nullptr) != prepared.end()) {
    throw std::invalid_argument(
        "an executor needs a prepared kernel for each layer, and positions that the model has");
  }
  const std::vector<Extent> extents = infer_extents(model.graph);
  Graph sized = model.graph;
  if (takes_text_ && text.positions > 0) sized.input.width = text.positions;
  sizes_ = infer_extents(sized);
  const MemoryPlan plan = plan_memory(sized, samples);
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
      step.is_convolution = std::holds_alternative<Conv2d>(node.op);
      workspace = std::max(workspace, step.kernel->workspace_bytes());
    } else {
      step.op = make_node_op(model, i, extents, samples, threads, text_.get());
    }
    steps_.push_back(std::move(step));
  }
  workspace_ = Buffer(workspace);
}

Extent Executor::extent_of(ValueId id, std::int64_t positions) const {
  Extent extent = sizes_[id];
  if (takes_text_) extent.width = positions;
  return extent;
}

Matrix Executor::value(ValueId id, std::int64_t rows, std::int64_t positions, Matrix y) const {
  float* const data = is_output_[id] ? y.data : memory_.as<float>() + places_[id];
  return {data, rows, extent_of(id, positions).features()};
}

void Executor::rewind(std::int64_t past) {
  if (past < 0 || past > text_->past) throw std::invalid_argument("a text was not that long");
  text_->past = past;
}

void Executor::run(ConstMatrix x, Matrix y) {
  text_->past = 0;
  go_on(x, y);
}

/// A linear layer takes each position as a row of its own. Where only the last position is wanted
/// of the last layer, that is a row of each text.
void Executor::run_layer(const Step& step, ConstMatrix x, Matrix y, std::int64_t positions) {
  ConstMatrix input = x;
  Matrix output = y;
  if (!step.is_convolution) {
    const Extent from = extent_of(step.inputs[0], positions);
    const std::int64_t channels = sizes_[step.output].channels;
    if (y.cols == channels) {
      input = {x.data + (from.width - 1) * from.channels, x.rows, from.channels, x.cols};
    } else {
      input = {x.data, x.rows * from.width, from.channels};
      output = {y.data, y.rows * from.width, channels};
    }
  }
  step.kernel->run(input, {workspace_.data(), workspace_.size()}, output);
  if (hook_) hook_(step.layer, input, output);
}

void Executor::go_on(ConstMatrix x, Matrix y) {
  const std::int64_t positions = takes_text_ ? x.cols : sizes_.front().width;
  const bool last_alone = takes_text_ && y.cols == sizes_.back().channels;
  if (x.rows < 1 || x.rows > samples_ || y.rows != x.rows || positions < 1 ||
      positions > sizes_.front().width || x.cols != extent_of(0, positions).features() ||
      (y.cols != extent_of(steps_.size(), positions).features() &&
       !(last_alone && steps_.back().kernel != nullptr)) ||
      x.stride != x.cols || y.stride != y.cols) {
    throw std::invalid_argument("a batch that does not fit the executor");
  }
  if (takes_text_ && text_->past + positions > context_)
    throw std::invalid_argument("a text beyond the positions of the model");
  for (const Step& step : steps_) {
    ConstMatrix inputs[3];
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      inputs[i] = step.inputs[i] == 0 ? x : value(step.inputs[i], x.rows, positions, y);
    const bool is_last = step.output == steps_.size();
    const Matrix output = is_last ? y : value(step.output, x.rows, positions, y);
    if (step.kernel != nullptr) {
      run_layer(step, inputs[0], output, positions);
    } else {
      step.op.op->forward({inputs, step.inputs.size()}, output, Mode::inference);
    }
  }
  if (takes_text_) text_->past += positions;
}

}  // namespace qassay
