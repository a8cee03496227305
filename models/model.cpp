#include "models/model.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "core/hash.hpp"
#include "models/model_file.hpp"

namespace qassay {

void check_chain(const Model& model) {
  if (model.layers.empty()) throw std::invalid_argument("model " + model.name + " has no layers");
  std::int64_t width = model.layers.front().k;
  for (const LinearLayer& layer : model.layers) {
    const bool sizes =
        layer.n > 0 && layer.k > 0 &&
        layer.weights.size() == static_cast<std::size_t>(layer.n * layer.k) &&
        (layer.bias.empty() || layer.bias.size() == static_cast<std::size_t>(layer.n));
    if (!sizes || layer.k != width) {
      throw std::invalid_argument(fmt::format(
          "layer {} of model {} does not fit its shape [{}, {}] or the {} features before "
          "it",
          layer.name, model.name, layer.n, layer.k, width));
    }
    width = layer.n;
  }
}

std::string content_hash(const Model& model) { return sha256(to_bytes(model)); }

}  // namespace qassay
