#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"
#include "models/model.hpp"
#include "models/ops/op.hpp"

namespace qassay {

/// A model's graph with the derivatives of its parameters, by reverse accumulation. Every value and
/// its derivative have memory of their own: what a forward pass computed is there for the backward.
class TrainingGraph {
 public:
  /// The model's parameters are read, and the running statistics written, in place; the model must
  /// outlive this. Batches have up to `samples` rows. Precondition: training_missing() is empty.
  TrainingGraph(Model& model, std::int64_t samples, int threads);

  /// The outputs [rows, outputs] for x[rows, features]; valid until the next call.
  ConstMatrix forward(ConstMatrix x, Mode mode);
  /// From the loss's derivative by the outputs of the last forward in training.
  void backward(ConstMatrix output_slope);

  /// By the name of the parameter, of the last backward. Running statistics have none.
  const Parameters& gradients() const { return gradients_; }

 private:
  struct Step {
    std::unique_ptr<Op> op;
    std::vector<ValueId> inputs;
    ValueId output;
  };

  Matrix value(ValueId id) const { return {values_[id].as<float>(), rows_, features_[id]}; }
  Matrix slope(ValueId id) const { return {slopes_[id].as<float>(), rows_, features_[id]}; }

  int threads_;
  std::int64_t rows_ = 0;  // of the batch in hand
  ConstMatrix input_;
  std::vector<Step> steps_;
  std::vector<std::int64_t> features_;   // by value
  std::vector<Buffer> values_, slopes_;  // by value; none for the input
  Buffer more_[3];  // a value's derivative by one more of its uses, by input of the node in hand
  Parameters gradients_;
};

}  // namespace qassay
