// In place of layers_onednn.cpp where the build has no oneDNN.

#include <stdexcept>

#include "models/ops/op.hpp"

namespace qassay {

std::optional<Refusal> training_missing() {
  return Refusal{"built without oneDNN (package libdnnl-dev), which training needs"};
}

std::unique_ptr<Op> make_op(const Linear&, const OpPlace&) {
  throw std::logic_error(training_missing()->reason);
}

std::unique_ptr<Op> make_op(const Conv2d&, const OpPlace&) {
  throw std::logic_error(training_missing()->reason);
}

}  // namespace qassay
