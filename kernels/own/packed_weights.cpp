#include "kernels/own/packed_weights.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "core/half.hpp"
#include "kernels/own/args.h"

namespace qassay::own {
namespace {

// k of a channel that are written before its neighbours': few enough for the lines to stay in L1.
constexpr std::int64_t kTogether = 256;

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// As many codes as T has bytes, zeros in place of those past `count`.
template <typename T>
T codes_at(const std::uint8_t* codes, std::int64_t count) {
  T word = 0;
  std::memcpy(&word, codes,
              static_cast<std::size_t>(std::min<std::int64_t>(count, std::int64_t{sizeof word})));
  return word;
}
/// The same, less the zero of 8 bits.
template <typename T>
T signed_codes_at(const std::uint8_t* codes, std::int64_t count) {
  constexpr T kZeros = static_cast<T>(0x8080808080808080U);
  const bool whole = count >= std::int64_t{sizeof(T)};
  return codes_at<T>(codes, count) ^ (whole ? kZeros : kZeros & ((T{1} << 8 * count) - 1));
}

/// Writes `count` weights of one channel, from the one at `first` on, as LineFormat says. `lines`
/// begin with its k, and are zero where nothing was written.
void write_channel(LineFormat format, const QuantMatrix& weights, std::int64_t first,
                   std::int64_t count, std::int64_t channel, std::byte* lines) {
  const float* const values = weights.values.data() + first;
  const std::uint16_t* const halves = weights.halves.data() + first;
  const std::uint8_t* const codes = weights.codes.data() + first;
  switch (format) {
    case LineFormat::f32:
      for (std::int64_t k = 0; k < count; ++k) put(lines + k * kLine + channel * 4, values[k]);
      break;
    case LineFormat::f16:
      for (std::int64_t k = 0; k < count; ++k)
        put(lines + k / 2 * kLine + k % 2 * 32 + channel * 2, halves[k]);
      break;
    case LineFormat::bf16:
      for (std::int64_t k = 0; k < count; ++k)
        put(lines + k / 2 * kLine + channel * 4 + k % 2 * 2, halves[k]);
      break;
    case LineFormat::u8:
      for (std::int64_t k = 0; k < count; k += 4)
        put(lines + k / 4 * kLine + channel * 4, codes_at<std::uint32_t>(codes + k, count - k));
      break;
    case LineFormat::s8:
      for (std::int64_t k = 0; k < count; k += 4) {
        put(lines + k / 4 * kLine + channel * 4,
            signed_codes_at<std::uint32_t>(codes + k, count - k));
      }
      break;
    case LineFormat::s8x8:
      for (std::int64_t k = 0; k < count; k += 8) {
        put(lines + k / 4 * kLine + channel * 8,
            signed_codes_at<std::uint64_t>(codes + k, count - k));
      }
      break;
    case LineFormat::u4:
      for (std::int64_t k = 0; k < count; k += 8) {
        const auto eight = codes_at<std::uint64_t>(codes + k, count - k);
        put(lines + k / 8 * kLine + channel * 4,
            static_cast<std::uint32_t>(eight | eight >> 32 << 4));
      }
      break;
    case LineFormat::u4x8:
      for (std::int64_t k = 0; k < count; k += 8) {
        std::byte* const at = lines + k / 8 * kLine + channel % 8 * 8;
        std::uint64_t there = 0;
        std::memcpy(&there, at, sizeof there);
        const auto eight = codes_at<std::uint64_t>(codes + k, count - k);
        put(at, there | (channel < 8 ? eight : eight << 4));
      }
      break;
  }
}

/// The k from `begin` to `end` of the channels of a block; `lines` begin with the first of them.
void write_span(const PackedLayout& layout, const QuantMatrix& weights, std::int64_t block,
                std::int64_t begin, std::int64_t end, std::byte* lines) {
  const std::int64_t last = std::min((block + 1) * kBlock, layout.n);
  for (std::int64_t row = block * kBlock; row < last; ++row) {
    write_channel(layout.format, weights, row * layout.k + begin, end - begin, row % kBlock, lines);
  }
}

/// One group after another, a pair's scales in front of it.
void write_groups(const PackedLayout& layout, const QuantMatrix& weights, std::int64_t block,
                  std::byte* lines) {
  const std::int64_t last = std::min((block + 1) * kBlock, layout.n);
  const std::int64_t group_lines = layout.group / layout.k_per_line();
  for (std::int64_t group = 0; group < layout.groups(); ++group) {
    std::byte* const pair = lines + group / 2 * (1 + 2 * group_lines) * kLine;
    const std::int64_t begin = group * layout.group;
    for (std::int64_t row = block * kBlock; row < last; ++row) {
      const float scale = weights.scales[weights.scale_index(row, begin)];
      put(pair + group % 2 * 32 + row % kBlock * 2, f32_to_f16(scale));
    }
    write_span(layout, weights, block, begin, std::min(begin + layout.group, layout.k),
               pair + (1 + group % 2 * group_lines) * kLine);
  }
}

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
  if (layout.group > 0) {
    write_groups(layout, weights, block, lines);
    return;
  }
  for (std::int64_t k = 0; k < layout.k; k += kTogether) {
    write_span(layout, weights, block, k, std::min(k + kTogether, layout.k),
               lines + k / layout.k_per_line() * kLine);
  }
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
