#include "models/train/augmentation.hpp"

#include <algorithm>

#include "core/seed.hpp"

namespace qassay {
namespace {

struct Change {
  std::int64_t down = 0, right = 0;
  bool flip = false;
};

Change draw(const Augmentation& augmentation, std::uint64_t seed) {
  Random random(seed);
  const auto reach = static_cast<std::uint64_t>(2 * augmentation.max_shift + 1);
  Change change;
  change.down = static_cast<std::int64_t>(random.below(reach)) - augmentation.max_shift;
  change.right = static_cast<std::int64_t>(random.below(reach)) - augmentation.max_shift;
  change.flip = augmentation.flip && random.below(2) == 1;
  return change;
}

}  // namespace

void fill_augmented(const TrainingSet& set, std::span<const std::int64_t> order,
                    const Augmentation& augmentation, std::uint64_t seed, Matrix out) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t sample = order[i];
    const Change change =
        draw(augmentation, seed ^ (static_cast<std::uint64_t>(sample) * 0x9E3779B97F4A7C15U));
    const std::uint8_t* const pixels = set.pixels.data() + sample * set.features;
    float* const image = out.row(static_cast<std::int64_t>(i));
    std::fill_n(image, set.features, 0.0F);
    const std::int64_t top = std::max<std::int64_t>(change.down, 0);
    const std::int64_t bottom = std::min(set.height, set.height + change.down);
    const std::int64_t left = std::max<std::int64_t>(change.right, 0);
    const std::int64_t right = std::min(set.width, set.width + change.right);
    for (std::int64_t y = top; y < bottom; ++y) {
      for (std::int64_t x = left; x < right; ++x) {
        const std::int64_t from = x - change.right;
        const std::int64_t column = change.flip ? set.width - 1 - from : from;
        image[y * set.width + x] =
            static_cast<float>(pixels[(y - change.down) * set.width + column]) / 255.0F;
      }
    }
  }
}

}  // namespace qassay
