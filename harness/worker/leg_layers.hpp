#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/grid.hpp"
#include "core/matrix_view.hpp"
#include "harness/run/job.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "models/evaluation_text.hpp"
#include "models/layer_problem.hpp"
#include "models/model.hpp"
#include "quantizers/method.hpp"

namespace qassay {

/// A layer of the leg with the activations that it is verified and timed on.
struct LegLayer {
  Layer layer;
  std::vector<float> input;   // [rows, inputs]
  std::vector<float> output;  // [rows, outputs] in FP32; of models only

  std::int64_t inputs() const { return layer_problem(layer.shape, {}, 1).inputs(); }
  std::int64_t outputs() const { return layer_problem(layer.shape, {}, 1).outputs(); }
  /// Of activations, for m positions that the model gives.
  std::int64_t rows(std::int64_t m) const { return m * layer.shape.rows; }
  ConstMatrix x(std::int64_t m) const { return {input.data(), rows(m), inputs()}; }
  ConstMatrix fp32_output(std::int64_t m) const { return {output.data(), rows(m), outputs()}; }
};

/// What a model takes for m rows: its test images, from the first again where they are fewer; the
/// first window of `text`; or, where there is neither, seeded ids of tokens or normal numbers.
std::vector<float> first_inputs(const Model& model, std::int64_t m, const EvaluationText* text);

/// The group's layers. Layers known by shape get seeded weights and activations with outlier
/// channels (models/synthetic.hpp); those of a real model get what `inputs`, its first_inputs(),
/// put there, carried through the model in FP32.
std::vector<LegLayer> build_layers(const Group& group, const Model* model,
                                   std::span<const float> inputs, const KernelChoice& kernels,
                                   const Device& device);

/// The grids of static activations for every layer of an image model, as a method chooses ranges,
/// from calibration images carried through the model in FP32.
std::vector<Grid> input_grids(const Model& model, const Method& method, const KernelChoice& kernels,
                              const Device& device);

}  // namespace qassay
