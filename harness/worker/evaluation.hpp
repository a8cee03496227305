#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/image_dataset.hpp"
#include "harness/run/job.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/layer_errors.hpp"
#include "harness/worker/leg_layers.hpp"

namespace qassay {

/// Scores whole models on the test set, through the packed weights that are timed.
class Evaluation {
 public:
  /// `images`: the batch that gave layers their inputs and outputs in FP32.
  Evaluation(const Model& model, std::span<const float> images, const Job& job);

  /// Adds the predictions of all samples; for each layer how far its output is from FP32 with the
  /// errors of the layers before it ("accumulated_..."); and for the baseline, the first in FP32,
  /// the floor of every loss: how many predictions change when it runs again and with another
  /// batch.
  void run(ModelArm& arm, const std::vector<LegLayer>& layers, LegRow& leg) const;

 private:
  void add_floor(ModelArm& arm, const std::vector<std::uint8_t>& predictions, LegRow& leg) const;

  std::span<const float> images_;
  const Job& job_;
  TestSet test_;
};

}  // namespace qassay
