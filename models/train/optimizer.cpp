#include "models/train/optimizer.hpp"

#include <cmath>
#include <cstddef>

namespace qassay {
namespace {

constexpr const char* kSteps = "steps";  // taken, of AdamW

double decay_of(double weight_decay, const Tensor& parameter) {
  return parameter.dims.size() > 1 ? weight_decay : 0;
}

/// What gradients are multiplied by so that their norm is `most` at the most.
double clipping(const Parameters& gradients, double most) {
  if (most <= 0) return 1;
  double squares = 0;
  for (const auto& [name, gradient] : gradients) {
    for (const float g : gradient.values) squares += static_cast<double>(g) * g;
  }
  const double norm = std::sqrt(squares);
  return norm > most ? most / norm : 1;
}

}  // namespace

Tensor& Optimizer::state_of(const std::string& name, const Tensor& like) {
  Tensor& state = state_[name];
  if (state.values.size() != like.values.size())
    state = {like.dims, std::vector<float>(like.values.size())};
  return state;
}

void Optimizer::step(Parameters& parameters, const Parameters& gradients, double rate) {
  const auto step = static_cast<float>(rate);
  if (const auto* sgd = std::get_if<Sgd>(&recipe_)) {
    const auto momentum = static_cast<float>(sgd->momentum);
    for (const auto& [name, gradient] : gradients) {
      Tensor& parameter = parameters.at(name);
      const auto decay = static_cast<float>(decay_of(sgd->weight_decay, parameter));
      Tensor& velocity = state_of(name + ".velocity", parameter);
      for (std::size_t i = 0; i < gradient.values.size(); ++i) {
        const float g = gradient.values[i] + decay * parameter.values[i];
        velocity.values[i] = momentum * velocity.values[i] + g;
        parameter.values[i] -= step * (g + momentum * velocity.values[i]);
      }
    }
    return;
  }
  const AdamW& adam = std::get<AdamW>(recipe_);
  Tensor& steps = state_of(kSteps, {{1}, {0}});
  steps.values[0] += 1;
  const double count = steps.values[0];
  const double scale1 = 1 / (1 - std::pow(adam.beta1, count));
  const double scale2 = 1 / (1 - std::pow(adam.beta2, count));
  const double scale = clipping(gradients, adam.clip);
  for (const auto& [name, gradient] : gradients) {
    Tensor& parameter = parameters.at(name);
    const double decay = decay_of(adam.weight_decay, parameter);
    Tensor& first = state_of(name + ".first_moment", parameter);
    Tensor& second = state_of(name + ".second_moment", parameter);
    const std::vector<float>& slopes = gradient.values;  // clang shares no structured bindings
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      const double g = slopes[i] * scale;
      const double m = adam.beta1 * first.values[i] + (1 - adam.beta1) * g;
      const double v = adam.beta2 * second.values[i] + (1 - adam.beta2) * g * g;
      first.values[i] = static_cast<float>(m);
      second.values[i] = static_cast<float>(v);
      const double w = parameter.values[i];
      const double move = m * scale1 / (std::sqrt(v * scale2) + adam.epsilon) + decay * w;
      parameter.values[i] = static_cast<float>(w - rate * move);
    }
  }
}

}  // namespace qassay
