#include "kernels/peers/ggml_blocks.hpp"

#include "core/half.hpp"

namespace qassay::ggml {

std::vector<std::byte> blocks_of(const QuantMatrix& weights) {
  const bool wide = weights.scheme.weights.bits == 8;
  std::vector<std::byte> out;
  out.reserve(weights.scales.size() * (2 + kBlock));
  for (std::size_t block = 0; block < weights.scales.size(); ++block) {
    const std::uint16_t scale = f32_to_f16(weights.scales[block]);
    out.push_back(static_cast<std::byte>(scale & 0xFF));
    out.push_back(static_cast<std::byte>(scale >> 8));
    const std::uint8_t* codes = weights.codes.data() + block * kBlock;
    for (std::int64_t i = 0; i < (wide ? kBlock : kBlock / 2); ++i) {
      out.push_back(static_cast<std::byte>(wide ? codes[i] - 128  //
                                                : codes[i] | codes[i + kBlock / 2] << 4));
    }
  }
  return out;
}

}  // namespace qassay::ggml
