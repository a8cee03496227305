#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/convolution.hpp"
#include "core/matrix_view.hpp"
#include "models/model.hpp"

namespace qassay {

/// What all samples put into a layer.
class LayerInput {
 public:
  /// `x`: the rows of a linear layer, or images, one a row.
  LayerInput(ValueId value, ConstMatrix x, std::optional<Convolution> convolution)
      : value_(value), x_(x), convolution_(convolution) {}

  /// Layers with the same value share their input.
  ValueId value() const { return value_; }
  /// Of a convolution, whose groups look at inputs of their own; 1 for linear layers.
  std::int64_t groups() const { return convolution_ ? convolution_->groups : 1; }
  /// All rows x[m,k] that the layer's weights are multiplied with, those of a convolution's group,
  /// in batches of thousands, in order.
  void for_each_batch(std::int64_t group, const std::function<void(ConstMatrix)>& take) const;

 private:
  ValueId value_;
  ConstMatrix x_;
  std::optional<Convolution> convolution_;
};

/// Called for each layer in order, with what the layers before gave; returns the weights[n,k] that
/// the layer goes on with.
using VisitLayer = std::function<std::vector<float>(std::size_t layer, const LayerInput& input)>;

/// Runs a model in FP32 on all samples node by node, so that weights can be chosen layer by layer,
/// each by what those before it really give. `inputs`: [samples, features]; of a text, ids of
/// tokens, [samples, positions]. Values are kept as long as a node needs them. Equal bits for equal
/// arguments on one kind of CPU and number of threads. Needs linear algebra. Throws
/// std::invalid_argument for inputs that are not the model's.
void run_staged(const Model& model, ConstMatrix inputs, int threads, const VisitLayer& visit);

}  // namespace qassay
