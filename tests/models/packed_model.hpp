#pragma once

#include <memory>
#include <vector>

#include "models/executor.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/kernels/kernel_case.hpp"

namespace qassay {

/// A model with its layers packed in FP32: for `kernel` those that it accepts, for the reference
/// kernels the others.
class PackedModel {
 public:
  PackedModel(const Model& model, std::int64_t samples, const Kernel* kernel = nullptr,
              int threads = 1, const TextOptions& text = {})
      : executor_(model, pack(model, samples * positions(model), kernel, threads), samples, threads,
                  text) {}

  Executor& executor() { return executor_; }
  /// Layers that `kernel` took.
  int taken() const { return taken_; }

 private:
  /// The most that a layer may see of a sample.
  static std::int64_t positions(const Model& model) {
    return model.graph.input.is_sequence() ? model.graph.input.width : 1;
  }

  std::vector<Prepared*> pack(const Model& model, std::int64_t m_max, const Kernel* kernel,
                              int threads) {
    std::vector<Prepared*> prepared;
    for (const LayerShape& shape : layer_shapes(model.graph)) {
      const Layer layer = layer_of(model, shape);
      const Scheme scheme = parse_scheme("FP32");
      const Problem problem{.m_max = m_max,
                            .n = shape.n,
                            .k = shape.k,
                            .scheme = scheme,
                            .bias = shape.bias,
                            .convolution = shape.convolution};
      const bool takes = kernel != nullptr && !kernel->accepts(problem);
      taken_ += takes;
      const Kernel& chosen = takes ? *kernel : reference_for(problem);
      kernels_.push_back(chosen.prepare(problem, round_to_nearest(layer.matrix(), scheme),
                                        layer.bias, {.threads = threads}));
      prepared.push_back(kernels_.back().get());
    }
    return prepared;
  }

  int taken_ = 0;
  std::vector<std::unique_ptr<Prepared>> kernels_;
  Executor executor_;
};

}  // namespace qassay
