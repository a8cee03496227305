#include "kernels/cuda/packed_codes.hpp"

#include "core/half.hpp"
#include "kernels/cuda/layout.h"

namespace qassay::cuda {
namespace {

/// The code at a place that may be padding.
std::uint32_t code_at(const QuantMatrix& weights, std::int64_t channel, std::int64_t k) {
  if (channel >= weights.n || k >= weights.k) return 0;
  return weights.codes[static_cast<std::size_t>(channel * weights.k + k)];
}

/// What a lane holds of a line of a block, word by word.
template <int kBits>
void pack_lane(const QuantMatrix& weights, std::int64_t block, std::int64_t line, int lane,
               std::uint32_t* words) {
  for (int tile = 0; tile < 2 * kTilesOfHalf; ++tile) {
    for (int reg = 0; reg < 4; ++reg) {
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t code =
            code_at(weights, block * kBlock + channel_of_weights(lane, reg),
                    line * kLine + k_of_tile(tile, lane, i_of_weights(reg, half)));
        words[word_of<kBits>(tile, reg)] |= code << shift_of<kBits>(reg, half);
      }
    }
  }
}

template <int kBits>
void pack_words(const QuantMatrix& weights, int threads, PackedCodes& packed) {
  constexpr int kVectors = kVectorsOf<kBits>;
  packed.words.resize(static_cast<std::size_t>(packed.blocks * packed.lines) * kVectors * kWarp *
                      kWordsOfVector);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t block = 0; block < packed.blocks; ++block) {
    for (std::int64_t line = 0; line < packed.lines; ++line) {
      for (int lane = 0; lane < kWarp; ++lane) {
        std::uint32_t words[kVectors * kWordsOfVector] = {};
        pack_lane<kBits>(weights, block, line, lane, words);
        for (int word = 0; word < kVectors * kWordsOfVector; ++word) {
          const std::int64_t at =
              vector_at<kBits>(block, line, packed.lines, word / kWordsOfVector, lane);
          packed.words[static_cast<std::size_t>(at * kWordsOfVector + word % kWordsOfVector)] =
              words[word];
        }
      }
    }
  }
}

void pack_scales(const QuantMatrix& weights, PackedCodes& packed) {
  const auto count = static_cast<std::size_t>(packed.blocks * packed.groups * kBlock);
  packed.scales.resize(count);
  if (!weights.zero_points.empty()) packed.zeros.resize(count);
  const std::int64_t group = weights.scheme.weights.block;
  for (std::int64_t channel = 0; channel < weights.n; ++channel) {
    for (std::int64_t k = 0; k < weights.k; k += group) {
      const std::size_t from = weights.scale_index(channel, k);
      const auto to = static_cast<std::size_t>(
          scale_at(channel / kBlock, k / group, packed.groups, static_cast<int>(channel % kBlock)));
      packed.scales[to] = f32_to_f16(weights.scales[from]);
      if (!packed.zeros.empty()) packed.zeros[to] = weights.zero_points[from];
    }
  }
}

}  // namespace

PackedCodes pack_codes(const QuantMatrix& weights, int threads) {
  PackedCodes packed;
  packed.blocks = blocks_of(weights.n);
  packed.lines = lines_of(weights.k);
  packed.groups = groups_of(packed.lines, weights.scheme.weights.block);
  if (weights.scheme.weights.bits == 4) {
    pack_words<4>(weights, threads, packed);
  } else {
    pack_words<8>(weights, threads, packed);
  }
  pack_scales(weights, packed);
  return packed;
}

}  // namespace qassay::cuda
