#pragma once

#include <cstdint>
#include <span>

#include "core/matrix_view.hpp"
#include "datasets/classification_set.hpp"

namespace qassay {

/// Random changes of training images that keep their class: a shift of up to max_shift pixels in
/// both directions, with zeros moved in, and a flip left to right for half of them.
struct Augmentation {
  std::int64_t max_shift = 0;
  bool flip = false;
};

/// Writes the samples of a set that `order` names into out[order.size(), features], each changed by
/// random numbers that depend on `seed` and the sample alone.
void fill_augmented(const TrainingSet& set, std::span<const std::int64_t> order,
                    const Augmentation& augmentation, std::uint64_t seed, Matrix out);

}  // namespace qassay
