#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "harness/suite/kernel_choice.hpp"
#include "models/executor.hpp"

namespace qassay {

/// A model in FP32 through the first kernels that take its layers: what it is calibrated with, and
/// what the layers' inputs and the errors of quantized ones are measured from.
class FloatRun {
 public:
  /// For m_max rows of activations: samples, or tokens of one text.
  FloatRun(const Model& model, const KernelChoice& kernels, std::int64_t m_max,
           const Device& device);

  Executor& executor() { return *executor_; }

 private:
  std::vector<std::unique_ptr<Prepared>> layers_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace qassay
