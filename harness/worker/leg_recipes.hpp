#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/quant_matrix.hpp"
#include "harness/run/job.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/worker/leg_layers.hpp"
#include "harness/worker/peak_memory.hpp"
#include "harness/worker/verifier.hpp"
#include "models/evaluation_text.hpp"
#include "quantizers/artifact.hpp"
#include "quantizers/input_metric.hpp"

namespace qassay {

/// The model of a leg, or its layers known by shape, with what verifies them.
struct LegModel {
  std::optional<Model> model;
  std::vector<LegLayer> layers;     // the group's
  std::vector<Verifier> verifiers;  // one a layer
  /// By calibration data, one a layer; none until they are asked for.
  std::vector<std::shared_ptr<const InputMetric>> metrics;
};

/// What makes a layer's codes: cases that differ in their activations or backend alone share them.
struct Recipe {
  std::string method;
  std::string weights;  // the scheme of weight-only quantization

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in it
  auto operator<=>(const Recipe&) const = default;
};
Recipe recipe_of(const CaseRow& row);

/// What it took to quantize a model.
struct QuantizingCost {
  double seconds = 0;
  std::int64_t peak_bytes = 0;  // resident
};

/// Quantizes the layers of a leg as its cases' methods say. Methods that calibrate take the whole
/// model and are kept (quantizers/artifact.hpp): the legs after the first, and other regimes, read
/// what the first made. kCheckpointMethod takes the matrices and the model that a checkpoint has.
class LegRecipes {
 public:
  /// `inputs`: the model's first_inputs(). `text`: what it is scored on, or null; calibration data
  /// must not overlap it. `say`: how far the quantizing of a whole model is, again and again. All
  /// must outlive this.
  LegRecipes(const Job& job, std::optional<Model> model, std::span<const float> inputs,
             const EvaluationText* text, const KernelChoice& kernels, const Device& device,
             std::uint64_t seed, std::function<void(const std::string&)> say);

  LegModel& base() { return base_; }
  /// The model as a case's method has it: its own where the method folded something into it. Asked
  /// for after the case's weights.
  LegModel& model_of(const CaseRow& row);
  /// Layer `place` of the group in the case's scheme; valid until a case of another recipe is asked
  /// for, or clear().
  const QuantMatrix& weights(const CaseRow& row, std::size_t place);
  /// Of all layers; nothing for schemes of floats.
  std::optional<QuantizingCost> cost(const CaseRow& row) const;
  /// The root of output_error() of a layer on calibration data, as its case's method has the model.
  /// Nothing where no method of the group calibrates, or the layer has no metric.
  std::optional<double> h_weighted_error(const CaseRow& row, std::size_t place);
  /// Gives the memory of the weights back.
  void clear() { in_hand_ = {}; }
  std::int64_t peak_bytes() const { return peak_.of_all(); }

 private:
  LegModel prepared(std::optional<Model> model, std::span<const float> inputs);
  void begin(const Recipe& recipe);
  void quantize_all(const Recipe& recipe);
  void read_checkpoint(const Recipe& recipe);
  void keep_model(const Recipe& recipe, Model model);
  const CalibrationInputs& calibration(std::int64_t samples);
  std::int64_t metric_samples() const;
  Artifact artifact(const Recipe& recipe);
  Artifact make(const Recipe& recipe, const CalibrationInputs& inputs);
  QuantMatrix quantize(const Recipe& recipe, std::size_t place);
  const Grid& input_grid(const CaseRow& row, std::size_t place);

  const Job& job_;
  std::span<const float> inputs_;
  const EvaluationText* text_;
  const KernelChoice& kernels_;
  const Device& device_;
  std::uint64_t seed_;
  std::function<void(const std::string&)> say_;
  LegModel base_;
  std::map<Recipe, LegModel> own_;  // of methods that folded something in
  std::map<Recipe, QuantizingCost> costs_;
  std::map<std::string, std::vector<Grid>> grids_;          // by what they depend on
  std::map<std::int64_t, CalibrationInputs> calibrations_;  // by samples
  PeakMemory peak_;

  struct InHand {
    std::optional<Recipe> recipe;
    std::exception_ptr fault;                        // of the whole model: the same for every layer
    std::vector<std::optional<QuantMatrix>> layers;  // by place
  };
  InHand in_hand_;
};

}  // namespace qassay
