#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/distortion.hpp"
#include "harness/run/job.hpp"
#include "harness/worker/arm.hpp"
#include "harness/worker/leg_layers.hpp"

namespace qassay {

/// sqnr, cosine and relative_error of an output against FP32 (of a checkpoint, kDequantized), with
/// a prefix before their names.
void append_distortion(const CaseRow& row, const std::string& prefix, const Distortion& distortion,
                       std::vector<MetricRow>& metrics);

/// For each layer of a whole model how far its output is from FP32 with the errors of the layers
/// before it ("accumulated_..."). `inputs`: the batch that gave `layers` their inputs and outputs
/// in FP32.
void append_layer_errors(ModelArm& arm, const std::vector<LegLayer>& layers,
                         std::span<const float> inputs, const Job& job, LegRow& leg);

}  // namespace qassay
