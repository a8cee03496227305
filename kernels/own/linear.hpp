#pragma once

#include <memory>
#include <optional>
#include <span>

#include "kernels/own/product.hpp"

namespace qassay::own {

/// A linear row of the table, by its recipe.
class LinearKernel final : public Kernel {
 public:
  explicit LinearKernel(const Recipe& recipe) : recipe_(recipe) {}

  const KernelInfo& info() const override { return recipe_.info; }
  std::optional<Refusal> accepts(const Problem& problem) const override {
    return refuses(recipe_, LayerKind::linear, problem);
  }
  std::unique_ptr<Prepared> prepare(const Problem& problem, const QuantMatrix& weights,
                                    std::span<const float> bias,
                                    const Device& device) const override;

 private:
  Recipe recipe_;
};

}  // namespace qassay::own
