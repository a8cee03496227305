#include "harness/worker/float_run.hpp"

#include "harness/worker/model_batch.hpp"
#include "models/layer_problem.hpp"
#include "quantizers/round_to_nearest.hpp"

namespace qassay {

FloatRun::FloatRun(const Model& model, const KernelChoice& kernels, std::int64_t m_max,
                   const Device& device) {
  const Scheme fp32 = parse_scheme("FP32");
  std::vector<Prepared*> prepared;
  for (const LayerShape& shape : layer_shapes(model.graph)) {
    const Layer layer = layer_of(model, shape);
    const Problem problem = layer_problem(shape, fp32, m_max);
    layers_.push_back(kernels.first(problem).prepare(
        problem, round_to_nearest(layer.matrix(), fp32), layer.bias, device));
    prepared.push_back(layers_.back().get());
  }
  const ModelBatch batch = batch_of(model.graph, m_max);
  executor_ = std::make_unique<Executor>(model, prepared, batch.samples, device.threads,
                                         TextOptions{.positions = batch.positions});
}

}  // namespace qassay
