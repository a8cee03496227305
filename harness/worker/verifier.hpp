#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/compare.hpp"
#include "harness/worker/leg_layers.hpp"
#include "kernels/kernel.hpp"

namespace qassay {

/// Compares the outputs of one layer's kernels with the reference kernels', on all rows and a
/// sample of the output columns, and tells how far they are from FP32.
class Verifier {
 public:
  struct References {
    const Kernel& floating;
    const Kernel& integer;
  };

  Verifier(const LegLayer& layer, std::int64_t m, const References& references,
           const Device& device, std::uint64_t seed);

  struct Finding {
    Comparison comparison;
    double sqnr_db = 0;  // against FP32 weights and activations
  };
  /// `weights`: what the kernel was given; `y`: its whole output [m, n].
  Finding verify(const QuantMatrix& weights, Contract contract, ConstMatrix y);

 private:
  QuantMatrix sampled(const QuantMatrix& weights) const;
  std::vector<float> reference_output(const QuantMatrix& sample) const;
  const std::vector<float>& expected(const QuantMatrix& sample);

  ConstMatrix x_;
  References references_;
  Device device_;
  std::vector<std::int64_t> columns_;
  std::vector<float> bias_;  // of the sampled columns
  std::vector<float> fp32_output_;
  std::map<std::string, std::vector<float>> expected_;  // by scheme
};

}  // namespace qassay
