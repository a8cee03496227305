#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/quant_matrix.hpp"
#include "core/scheme.hpp"
#include "models/model.hpp"
#include "quantizers/calibration_inputs.hpp"
#include "quantizers/method.hpp"

namespace qassay {

/// A model whose layers are quantized.
struct QuantizedModel {
  Model model;                      // in FP32, with what a method folded into its parameters
  std::vector<QuantMatrix> layers;  // in the order of layer_shapes()
  /// What a reader has to know: layers that a method treated otherwise than it says.
  std::vector<std::string> notes;
};

/// The weights of one layer by a method that needs no calibration data, or rounded in a scheme of
/// floats.
QuantMatrix quantize_layer(ConstMatrix weights, const Method& method, const Scheme& scheme);

/// After each step of so many that take a like time: a layer, or a look at it where a method takes
/// more than one.
using QuantizeProgress = std::function<void(std::size_t done, std::size_t steps)>;

/// Whether a method may add operators that multiply the input of layers. What writes files of
/// others' layouts has no place for them.
enum class GraphChange { none, scales };

/// Every linear layer and convolution of a model in a scheme, by a method:
///   rtn, mse, hqq  each layer by itself
///   gptq           one layer after the other, each on the inputs that the quantized ones before it
///                  give; layers with the same input share a Hessian, groups of a convolution have
///                  their own
///   awq            linear layers with the same input share scales, which are folded into what
///                  makes it (models/scale_folding.hpp), or into a node of their own in front of
///                  the layers where nothing takes them; then every layer's ranges are clipped
///   smoothquant    the same scales and folding, then nearest codes
/// Activations are not quantized meanwhile. Float schemes are rounded, whatever the method.
/// `calibration` may be null for methods that need none. Ranges of static activations are not found
/// here. With GraphChange::none what no operator takes is left away and noted. The same for any
/// number of threads where linear algebra is. Throws InputError naming the layer.
QuantizedModel quantize_model(Model model, const Method& method, const Scheme& scheme,
                              const CalibrationInputs* calibration, int threads,
                              const QuantizeProgress& progress = {},
                              GraphChange change = GraphChange::scales);

}  // namespace qassay
