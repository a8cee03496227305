#pragma once

#include <vector>

#include "core/buffer.hpp"
#include "core/matrix_view.hpp"
#include "harness/run/job.hpp"
#include "kernels/kernel.hpp"
#include "models/model.hpp"

namespace qassay {

/// A layer of the leg with the activations that it is verified and timed on.
struct LegLayer {
  LinearLayer layer;
  std::vector<float> input;  // [m, k]

  ConstMatrix x(std::int64_t m) const { return {input.data(), m, layer.k}; }
};

/// The group's layers. Layers known by shape get seeded weights and activations with outlier
/// channels (models/synthetic.hpp); those of a real model get the inputs that the first m test
/// images give them, carried through the earlier layers by `reference` in FP32.
std::vector<LegLayer> build_layers(const Group& group, const Model* model, const Kernel& reference,
                                   const Device& device);

}  // namespace qassay
