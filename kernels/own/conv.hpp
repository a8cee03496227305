#pragma once

#include <memory>
#include <optional>
#include <span>

#include "kernels/own/product.hpp"

namespace qassay::own {

/// A row of the table for convolutions, by its recipe, whose words are not several together.
class ConvKernel final : public Kernel {
 public:
  explicit ConvKernel(const Recipe& recipe) : recipe_(recipe) {}

  const KernelInfo& info() const override { return recipe_.info; }
  std::optional<Refusal> accepts(const Problem& problem) const override;
  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override;

 private:
  Recipe recipe_;
};

}  // namespace qassay::own
