#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/compare.hpp"
#include "core/distortion.hpp"
#include "harness/suite/kernel_choice.hpp"
#include "harness/worker/leg_layers.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// Compares the outputs of one layer's kernels with the reference kernels', and tells how far they
/// are from FP32. Of a linear layer its rows, of more than 192 a sample, are compared on a sample
/// of the output channels; of a convolution some images, on all pixels of a sample of the channels.
class Verifier {
 public:
  Verifier(const LegLayer& layer, std::int64_t m, const KernelChoice& kernels, const Device& device,
           std::uint64_t seed);

  struct Finding {
    Comparison comparison;
    Distortion distortion;  // against FP32 weights and activations
  };
  /// `weights`: what the kernel was given, and the method that chose them; `y`: its whole output
  /// [m, outputs].
  Finding verify(const QuantMatrix& weights, const std::string& method, Contract contract,
                 ConstMatrix y);

 private:
  struct Samples {
    std::vector<std::int64_t> rows, channels;
  };

  QuantMatrix sampled(const QuantMatrix& weights) const;
  std::vector<float> sampled(ConstMatrix y) const;
  Problem problem(const Scheme& scheme) const;
  std::vector<float> reference_output(const QuantMatrix& weights, std::span<const float> bias,
                                      ConstMatrix x) const;
  const std::vector<float>& expected(const QuantMatrix& sample, const std::string& method);
  std::vector<double> limits(const QuantMatrix& sample, Contract contract) const;
  std::vector<double> float_limits(const std::vector<float>& values, Contract contract) const;
  std::vector<double> code_limits(const QuantMatrix& sample,
                                  const std::vector<float>& values) const;
  ConstMatrix x() const { return {x_.data(), rows(), inputs_}; }
  std::int64_t rows() const { return static_cast<std::int64_t>(samples_.rows.size()); }

  const KernelChoice& kernels_;
  Device device_;
  LayerShape shape_;  // with the sampled channels alone
  Samples samples_;
  std::int64_t pixels_, inputs_, channels_;  // of the whole layer
  std::vector<float> x_;                     // the sampled rows
  std::vector<float> bias_;                  // of the sampled channels
  std::vector<float> fp32_output_;
  std::map<std::string, std::vector<float>> expected_;  // by method and scheme
};

}  // namespace qassay
