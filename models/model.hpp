#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qassay {

/// What is known of a layer without its weights.
struct LayerShape {
  std::string name;
  std::int64_t n = 0;  // out features
  std::int64_t k = 0;  // in features
};

/// y[m,n] = x[m,k] * weights[n,k]^T + bias[n], then max(y, 0) where `relu`. Row-major.
struct LinearLayer {
  std::string name;
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::vector<float> weights;  // [n, k]
  std::vector<float> bias;     // [n], or empty for none
  bool relu = false;

  bool operator==(const LinearLayer&) const = default;
};

/// A chain of layers: each takes what the one before gives. A model's last outputs are its scores
/// of the classes.
struct Model {
  std::string name;
  std::vector<LinearLayer> layers;

  bool operator==(const Model&) const = default;
};

/// Throws std::invalid_argument unless the model has layers, every array has its size and every
/// layer takes what the one before gives.
void check_chain(const Model& model);

/// SHA-256 over names, shapes and the bits of all parameters.
std::string content_hash(const Model& model);

}  // namespace qassay
