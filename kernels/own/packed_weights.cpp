#include "kernels/own/packed_weights.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "core/half.hpp"
#include "kernels/own/args.h"

namespace qassay::own {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// Writes one channel's weights into the lines of its block, as LineFormat says.
class ChannelWriter {
 public:
  ChannelWriter(const PackedLayout& layout, const QuantMatrix& weights, std::int64_t row,
                std::byte* lines)
      : layout_(layout), weights_(weights), row_(row), lines_(lines), channel_(row % kBlock) {}

  void write() const {
    const auto first = static_cast<std::size_t>(row_ * layout_.k);
    switch (layout_.format) {
      case LineFormat::f32:
        for (std::int64_t k = 0; k < layout_.k; ++k)
          put(line(k) + channel_ * 4, weights_.values[first + static_cast<std::size_t>(k)]);
        break;
      case LineFormat::f16:
        for (std::int64_t k = 0; k < layout_.k; ++k)
          put(line(k / 2) + k % 2 * 32 + channel_ * 2,
              weights_.halves[first + static_cast<std::size_t>(k)]);
        break;
      case LineFormat::bf16:
        for (std::int64_t k = 0; k < layout_.k; ++k)
          put(line(k / 2) + channel_ * 4 + k % 2 * 2,
              weights_.halves[first + static_cast<std::size_t>(k)]);
        break;
      case LineFormat::u8:
      case LineFormat::u4:
      case LineFormat::u4x8:
        for (std::int64_t group = 0; group < layout_.groups(); ++group) write_group(first, group);
        break;
      case LineFormat::s8:
        for (std::int64_t k = 0; k < layout_.k; ++k)
          put(line(k / 4) + channel_ * 4 + k % 4, signed_code(first, k));
        break;
      case LineFormat::s8x8:
        for (std::int64_t k = 0; k < layout_.k; ++k)
          put(line(k / 8 * 2) + channel_ * 8 + k % 8, signed_code(first, k));
        break;
    }
  }

 private:
  std::byte* line(std::int64_t number) const { return lines_ + number * kLine; }

  std::int8_t signed_code(std::size_t first, std::int64_t k) const {
    return static_cast<std::int8_t>(weights_.codes[first + static_cast<std::size_t>(k)] - kZeroU8);
  }

  /// Without groups the whole row is one, with no scales in front of it.
  void write_group(std::size_t first, std::int64_t group) const {
    std::byte* codes = lines_;
    std::int64_t span = layout_.k;
    const std::int64_t per_line = layout_.k_per_line();
    if (layout_.group > 0) {
      span = layout_.group;
      const std::int64_t group_lines = span / per_line;
      std::byte* const pair = line(group / 2 * (1 + 2 * group_lines));
      const float scale = weights_.scales[weights_.scale_index(row_, group * span)];
      put(pair + group % 2 * 32 + channel_ * 2, f32_to_f16(scale));
      codes = pair + (1 + group % 2 * group_lines) * kLine;
    }
    const std::int64_t begin = group * span;
    const std::int64_t end = std::min(begin + span, layout_.k);
    const std::uint8_t* const from = weights_.codes.data() + first + begin;
    const bool by_8 = layout_.format == LineFormat::u4x8;
    for (std::int64_t i = 0; i < end - begin; ++i) {
      const std::int64_t at = by_8 ? channel_ % 8 * 8 + i % 8 : channel_ * 4 + i % 4;
      const bool low = by_8 ? channel_ < 8 : i % per_line < 4;
      codes[i / per_line * kLine + at] |= static_cast<std::byte>(low ? from[i] : from[i] << 4);
    }
  }

  const PackedLayout& layout_;
  const QuantMatrix& weights_;
  std::int64_t row_;
  std::byte* lines_;
  std::int64_t channel_;
};

void pack_block(const PackedLayout& layout, const QuantMatrix& weights, std::span<const float> bias,
                std::int64_t block, std::byte* at) {
  const std::int64_t end = std::min((block + 1) * kBlock, layout.n);
  std::byte* lines = at;
  if (layout.bias) {
    for (std::int64_t row = block * kBlock; row < end; ++row)
      put(lines + row % kBlock * 4, bias[static_cast<std::size_t>(row)]);
    lines += kLine;
  }
  if (layout.channel_scales) {
    for (std::int64_t row = block * kBlock; row < end; ++row)
      put(lines + row % kBlock * 4, weights.scales[static_cast<std::size_t>(row)]);
    lines += kLine;
  }
  for (std::int64_t row = block * kBlock; layout.zero_points && row < end; ++row) {
    for (std::int64_t group = 0; group < layout.groups(); ++group) {
      lines[group * kBlock + row % kBlock] = static_cast<std::byte>(
          weights.zero_point(weights.scale_index(row, group * layout.group)));
    }
  }
  lines += layout.zero_lines() * kLine;
  for (std::int64_t row = block * kBlock; row < end; ++row)
    ChannelWriter(layout, weights, row, lines).write();
}

}  // namespace

std::int64_t PackedLayout::k_per_line() const {
  switch (format) {
    case LineFormat::f32:
      return 1;
    case LineFormat::f16:
    case LineFormat::bf16:
      return 2;
    case LineFormat::u8:
    case LineFormat::s8:
    case LineFormat::s8x8:
      return 4;
    case LineFormat::u4:
    case LineFormat::u4x8:
      return 8;
  }
  return 0;
}

std::int64_t PackedLayout::words_together() const {
  return format == LineFormat::s8x8 || format == LineFormat::u4x8 ? 2 : 1;
}

std::int64_t PackedLayout::k_unit() const { return format == LineFormat::s8x8 ? 8 : k_per_line(); }

std::int64_t PackedLayout::padded_k() const { return divide_up(k, k_unit()) * k_unit(); }
std::int64_t PackedLayout::groups() const { return group == 0 ? 1 : divide_up(k, group); }
std::int64_t PackedLayout::zero_lines() const {
  return zero_points ? divide_up(groups() * kBlock, kLine) : 0;
}
std::int64_t PackedLayout::blocks() const { return divide_up(n, kBlock); }

std::size_t PackedLayout::block_bytes() const {
  const std::int64_t scale_lines = group == 0 ? 0 : divide_up(groups(), 2);
  return static_cast<std::size_t>(kLine * spread_lines(bias + channel_scales + zero_lines() +
                                                       scale_lines + padded_k() / k_per_line()));
}

BlockRange share_of_thread(std::int64_t blocks, int thread, int threads) {
  return {blocks * thread / threads, blocks * (thread + 1) / threads};
}

PackedWeights::PackedWeights(const PackedLayout& layout, int threads)
    : layout_(layout),
      threads_(threads),
      memory_(static_cast<std::size_t>(layout.blocks()) * layout.block_bytes()) {}

PackedWeights::PackedWeights(const PackedLayout& layout, const QuantMatrix& weights,
                             std::span<const float> bias, int threads)
    : PackedWeights(layout, threads) {
#pragma omp parallel num_threads(threads)
  {
    const BlockRange mine =
        share_of_thread(layout.blocks(), omp_get_thread_num(), omp_get_num_threads());
    for (std::int64_t block = mine.begin; block < mine.end; ++block) {
      pack_block(layout, weights, bias, block,
                 memory_.data() + static_cast<std::size_t>(block) * layout.block_bytes());
    }
  }
}

PackedWeights PackedWeights::copy() const {
  PackedWeights other(layout_, threads_);
#pragma omp parallel num_threads(threads_)
  {
    const BlockRange mine =
        share_of_thread(layout_.blocks(), omp_get_thread_num(), omp_get_num_threads());
    const std::size_t begin = static_cast<std::size_t>(mine.begin) * layout_.block_bytes();
    const std::size_t end = static_cast<std::size_t>(mine.end) * layout_.block_bytes();
    if (begin < end) std::memcpy(other.memory_.data() + begin, data() + begin, end - begin);
  }
  return other;
}

}  // namespace qassay::own
