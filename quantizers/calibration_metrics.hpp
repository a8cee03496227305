#pragma once

#include <memory>
#include <vector>

#include "models/model.hpp"
#include "quantizers/calibration_inputs.hpp"
#include "quantizers/input_metric.hpp"

namespace qassay {

/// For each layer of a model, in the order of layer_shapes(), the metric of what calibration data
/// put into it in FP32: by all rows, or 2,048 of them drawn by a fixed seed. Linear layers with the
/// same input share one. Null for convolutions in groups, which look at inputs of their own.
/// Precondition: this build has linear algebra.
std::vector<std::shared_ptr<const InputMetric>> calibration_metrics(const Model& model,
                                                                    const CalibrationInputs& inputs,
                                                                    int threads);

}  // namespace qassay
