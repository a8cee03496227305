#include "models/train/training_graph.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "models/ops/parallel.hpp"

namespace qassay {

TrainingGraph::TrainingGraph(Model& model, std::int64_t samples, int threads) : threads_(threads) {
  omp_set_num_threads(threads);  // what oneDNN goes by
  const std::vector<Extent> extents = infer_extents(model.graph);
  std::int64_t widest = 0;
  for (std::size_t id = 0; id < extents.size(); ++id) {
    features_.push_back(extents[id].features());
    const auto bytes = static_cast<std::size_t>(samples * features_[id]) * sizeof(float);
    values_.emplace_back(id == 0 ? 0 : bytes);
    slopes_.emplace_back(id == 0 ? 0 : bytes);
    widest = std::max(widest, features_[id]);
  }
  for (Buffer& more : more_)
    more = Buffer(static_cast<std::size_t>(samples * widest) * sizeof(float));

  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const Node& node = model.graph.nodes[i];
    OpPlace place{.inputs = {},
                  .output = extents[i + 1],
                  .samples = samples,
                  .threads = threads,
                  .parameters = {},
                  .gradients = {}};
    for (const ValueId input : node.inputs) place.inputs.push_back(extents[input]);
    for (const ParameterShape& shape : own_parameters(node.op, place.inputs)) {
      const std::string name = fmt::format("{}.{}", node.name, shape.name);
      Tensor& parameter = model.parameters.at(name);
      place.parameters.push_back(&parameter);
      if (shape.name.starts_with("running_")) continue;
      Tensor& gradient = gradients_[name];
      gradient = {parameter.dims, std::vector<float>(parameter.values.size())};
      place.gradients.push_back(&gradient);
    }
    steps_.push_back({std::visit([&](const auto& op) { return make_op(op, place); }, node.op),
                      node.inputs, i + 1});
  }
}

ConstMatrix TrainingGraph::forward(ConstMatrix x, Mode mode) {
  rows_ = x.rows;
  input_ = x;
  for (const Step& step : steps_) {
    std::vector<ConstMatrix> inputs;
    for (const ValueId id : step.inputs) inputs.push_back(id == 0 ? input_ : value(id));
    step.op->forward(inputs, value(step.output), mode);
  }
  return value(steps_.back().output);
}

void TrainingGraph::backward(ConstMatrix output_slope) {
  std::vector<bool> has_slope(values_.size());
  const ValueId last = steps_.back().output;
  std::copy_n(output_slope.data, rows_ * features_[last], slope(last).data);
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    std::vector<ConstMatrix> inputs;
    std::vector<Matrix> slopes;
    for (std::size_t i = 0; i < step->inputs.size(); ++i) {
      const ValueId id = step->inputs[i];
      inputs.push_back(id == 0 ? input_ : value(id));
      Matrix to = slope(id);
      // The node may take one value twice.
      const bool again = std::ranges::count(std::span(step->inputs).first(i), id) > 0;
      if (id != 0 && (has_slope[id] || again)) to.data = more_[i].as<float>();
      slopes.push_back(to);
    }
    step->op->backward(inputs, value(step->output), slope(step->output), slopes);
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      const ValueId id = step->inputs[i];
      if (id == 0) continue;
      if (has_slope[id]) {
        const Matrix sum = slope(id);
        for_shares(rows_ * features_[id], threads_, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) sum.data[at] += slopes[i].data[at];
        });
      }
      has_slope[id] = true;
    }
  }
}

}  // namespace qassay
