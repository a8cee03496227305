#include "harness/worker/layer_errors.hpp"

#include <algorithm>

#include "core/record.hpp"

namespace qassay {

void append_distortion(const CaseRow& row, const std::string& prefix, const Distortion& distortion,
                       std::vector<MetricRow>& metrics) {
  // The model of a checkpoint has the values that its codes stand for.
  const std::string baseline(row.method == kCheckpointMethod ? kDequantized : "FP32");
  const auto add = [&](const char* name, double value, const char* unit, const char* direction) {
    metrics.push_back(
        {row.key, row.arm, prefix + name, value, value, value, 1, unit, direction, baseline});
  };
  add("sqnr", distortion.sqnr_db, "dB", "higher");
  add("cosine", distortion.cosine, "ratio", "higher");
  add("relative_error", distortion.relative_error, "ratio", "lower");
}

void append_layer_errors(ModelArm& arm, const std::vector<LegLayer>& layers,
                         std::span<const float> inputs, const Job& job, LegRow& leg) {
  Executor& executor = arm.executor();
  std::vector<Distortion> errors(layers.size());
  executor.set_hook([&](std::size_t layer, ConstMatrix, ConstMatrix output) {
    errors[layer] = distortion(output, layers[layer].fp32_output(output.rows));
  });
  const std::int64_t samples = executor.samples();
  std::vector<float> scores(static_cast<std::size_t>(samples * executor.outputs()));
  executor.run({inputs.data(), samples, executor.features()},
               {scores.data(), samples, executor.outputs()});
  executor.set_hook({});
  for (const CaseRow& row : job.group.cases) {
    if (row.layer.empty() || row.arm != arm.row().arm || row.scheme != arm.row().scheme ||
        row.backend != arm.row().backend || row.method != arm.row().method) {
      continue;
    }
    const auto layer = std::ranges::find(
        layers, row.layer, [](const LegLayer& other) { return other.layer.shape.name; });
    append_distortion(row, "accumulated_", errors[static_cast<std::size_t>(layer - layers.begin())],
                      leg.metrics);
  }
}

}  // namespace qassay
