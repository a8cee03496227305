#pragma once

#include <memory>
#include <variant>

#include "models/model.hpp"

namespace qassay {

/// Stochastic gradient descent with Nesterov's momentum (Sutskever et al. 2013): v = momentum v +
/// g, w -= rate (g + momentum v), where g holds weight_decay w.
struct Sgd {
  double momentum = 0.9;
  double weight_decay = 5e-4;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2).
/// Gradients whose norm over all parameters is above `clip` are scaled down to it where that is
/// positive (Pascanu et al. 2013, arXiv:1211.5063).
struct AdamW {
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 1e-2;
  double clip = 0;
};

using OptimizerRecipe = std::variant<Sgd, AdamW>;

/// Changes parameters along their gradients. Weight decay is for weights of layers (tensors of rank
/// 2 and more): not for biases and batch norms.
class Optimizer {
 public:
  explicit Optimizer(const OptimizerRecipe& recipe) : recipe_(recipe) {}

  /// `gradients`: by the names of the parameters that are trained.
  void step(Parameters& parameters, const Parameters& gradients, double rate);

  /// All that a later step depends on, as tensors by name: for checkpoints.
  const Parameters& state() const { return state_; }
  void restore(Parameters state) { state_ = std::move(state); }

 private:
  Tensor& state_of(const std::string& name, const Tensor& like);

  OptimizerRecipe recipe_;
  Parameters state_;
};

}  // namespace qassay
