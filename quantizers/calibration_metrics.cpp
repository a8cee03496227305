#include "quantizers/calibration_metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "models/layer_problem.hpp"
#include "models/staged_run.hpp"
#include "quantizers/input_statistics.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kRows = 2048;

/// The metric by rows that it owns.
struct Sampled {
  explicit Sampled(InputStatistics statistics_)
      : statistics(std::move(statistics_)), metric(statistics.sample()) {}

  InputStatistics statistics;
  InputMetric metric;
};

std::shared_ptr<const InputMetric> metric_of(const LayerInput& input, std::int64_t k) {
  InputStatistics statistics(k, "calibration", kRows);
  input.for_each_batch(0, [&](ConstMatrix x) { statistics.add(x); });
  auto sampled = std::make_shared<const Sampled>(std::move(statistics));
  return {sampled, &sampled->metric};
}

}  // namespace

std::vector<std::shared_ptr<const InputMetric>> calibration_metrics(const Model& model,
                                                                    const CalibrationInputs& inputs,
                                                                    int threads) {
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  std::vector<std::shared_ptr<const InputMetric>> metrics(shapes.size());
  std::map<ValueId, std::shared_ptr<const InputMetric>> shared;  // by what linear layers read
  run_staged(model, inputs.matrix(), threads, [&](std::size_t layer, const LayerInput& input) {
    const LayerShape& shape = shapes[layer];
    if (!shape.convolution) {
      auto& metric = shared[input.value()];
      if (!metric) metric = metric_of(input, shape.k);
      metrics[layer] = metric;
    } else if (input.groups() == 1) {
      metrics[layer] = metric_of(input, shape.k);
    }
    return layer_of(model, shape).weights;
  });
  return metrics;
}

}  // namespace qassay
