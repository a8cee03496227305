#include "datasets/classification_set.hpp"

#include <algorithm>
#include <array>

namespace qassay {

void fill_batch(const ClassificationSet& set, std::int64_t first, Matrix out) {
  static const auto values = [] {
    std::array<float, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i) / 255.0F;
    return table;
  }();
  for (std::int64_t row = 0; row < out.rows; ++row) {
    const std::uint8_t* pixels = set.pixels.data() + (first + row) * set.features;
    std::transform(pixels, pixels + set.features, out.row(row),
                   [](std::uint8_t pixel) { return values[pixel]; });
  }
}

}  // namespace qassay
