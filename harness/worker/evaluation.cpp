#include "harness/worker/evaluation.hpp"

#include <algorithm>

#include "models/evaluate.hpp"

namespace qassay {
namespace {

/// No divisor of common batches, so that kernels meet other tiles and other remainders.
constexpr std::int64_t kOtherBatch = 50;

std::int64_t differences(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

}  // namespace

void append_distortion(const CaseRow& row, const std::string& prefix, const Distortion& distortion,
                       std::vector<MetricRow>& metrics) {
  const auto add = [&](const char* name, double value, const char* unit, const char* direction) {
    metrics.push_back(
        {row.key, row.arm, prefix + name, value, value, value, 1, unit, direction, "FP32"});
  };
  add("sqnr", distortion.sqnr_db, "dB", "higher");
  add("cosine", distortion.cosine, "ratio", "higher");
  add("relative_error", distortion.relative_error, "ratio", "lower");
}

Evaluation::Evaluation(const Model& model, const std::vector<LegLayer>& layers,
                       std::span<const float> images, const Job& job)
    : layers_(layers), images_(images), job_(job), test_(find_dataset(model.dataset).test()) {
  if (job.samples > 0) test_.count = std::min(test_.count, job.samples);
}

void Evaluation::run(ModelArm& arm, LegRow& leg) const {
  std::vector<std::uint8_t> predictions = predict(arm.executor(), test_);
  if (arm.row().scheme == "FP32" && leg.samples.empty()) add_floor(arm, predictions, leg);
  leg.samples.push_back(
      {arm.row().key, arm.row().arm, test_.name, test_.hash, std::move(predictions)});
  add_layer_errors(arm, leg);
}

void Evaluation::add_floor(ModelArm& arm, const std::vector<std::uint8_t>& predictions,
                           LegRow& leg) const {
  const std::int64_t again = differences(predictions, predict(arm.executor(), test_));
  const std::int64_t other_batch = differences(
      predictions, predict(arm.executor(), test_, std::min(kOtherBatch, arm.executor().samples())));
  const auto floor = static_cast<double>(std::max(again, other_batch));
  leg.metrics.push_back({arm.row().key, arm.row().arm, "floor_flips", floor, floor, floor,
                         test_.count, "samples", "lower", "FP32"});
}

void Evaluation::add_layer_errors(ModelArm& arm, LegRow& leg) const {
  Executor& executor = arm.executor();
  std::vector<Distortion> errors(layers_.size());
  executor.set_hook([&](std::size_t layer, ConstMatrix, ConstMatrix output) {
    errors[layer] = distortion(output, layers_[layer].fp32_output(output.rows));
  });
  const std::int64_t m = job_.group.regime.m;
  std::vector<float> scores(static_cast<std::size_t>(m * executor.outputs()));
  executor.run({images_.data(), m, executor.features()}, {scores.data(), m, executor.outputs()});
  executor.set_hook({});
  for (const CaseRow& row : job_.group.cases) {
    if (row.layer.empty() || row.arm != arm.row().arm || row.scheme != arm.row().scheme ||
        row.backend != arm.row().backend || row.method != arm.row().method) {
      continue;
    }
    const auto layer = std::ranges::find(
        layers_, row.layer, [](const LegLayer& other) { return other.layer.shape.name; });
    append_distortion(row, "accumulated_",
                      errors[static_cast<std::size_t>(layer - layers_.begin())], leg.metrics);
  }
}

}  // namespace qassay
