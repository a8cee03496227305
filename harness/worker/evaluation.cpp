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

Evaluation::Evaluation(const Model& model, std::span<const float> images, const Job& job)
    : images_(images), job_(job), test_(find_dataset(model.dataset).test()) {
  const std::int64_t most = job.group.samples;
  if (most > 0) test_.count = std::min(test_.count, most);
}

void Evaluation::run(ModelArm& arm, const std::vector<LegLayer>& layers, LegRow& leg) const {
  std::vector<std::uint8_t> predictions = predict(arm.executor(), test_);
  if (arm.row().scheme == "FP32" && leg.samples.empty()) add_floor(arm, predictions, leg);
  leg.samples.push_back(
      {arm.row().key, arm.row().arm, test_.name, test_.hash, std::move(predictions)});
  append_layer_errors(arm, layers, images_, job_, leg);
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

}  // namespace qassay
