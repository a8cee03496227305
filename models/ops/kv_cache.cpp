#include "models/ops/kv_cache.hpp"

#include <algorithm>

#include "core/extremes.hpp"

namespace qassay {
namespace {

constexpr float kSteps = 127;

std::size_t width(KvFormat format) {
  switch (format) {
    case KvFormat::fp32:
      return sizeof(float);
    case KvFormat::fp16:
      return sizeof(Half);
    case KvFormat::int8:
      return sizeof(std::int8_t);
  }
  return 0;
}

/// Elements from a channel's keys to the next one's: whole lines of memory, and an odd number of
/// them, for what is a power of two apart falls on few sets of a cache.
std::int64_t stride_of_keys(std::int64_t positions, KvFormat format) {
  const std::int64_t line = 64 / static_cast<std::int64_t>(width(format));
  return ((positions + line - 1) / line | 1) * line;
}

/// 127 steps to the largest magnitude; of zeros 0.
float scale_of(const float* row, std::int64_t n) { return largest_magnitude(row, n) / kSteps; }

}  // namespace

KvCache::KvCache(const Sizes& sizes, KvFormat format)
    : sizes_(sizes), format_(format), key_stride_(stride_of_keys(sizes.positions, format)) {
  const auto channels = static_cast<std::size_t>(sizes.texts * sizes.heads * sizes.head);
  const auto positions = static_cast<std::size_t>(sizes.positions);
  keys_ = Buffer(channels * static_cast<std::size_t>(key_stride_) * width(format));
  values_ = Buffer(channels * positions * width(format));
  if (format == KvFormat::int8) {
    scales_ =
        Buffer(2 * static_cast<std::size_t>(sizes.texts * sizes.heads) * positions * sizeof(float));
  }
}

template <typename T, typename Convert>
void KvCache::store(std::int64_t at, std::int64_t first, ConstMatrix k, ConstMatrix v,
                    Convert convert) {
  // Keys turn in blocks, of which each line of memory is written once.
  constexpr std::int64_t kRowsTurned = 16;
  const std::int64_t head = sizes_.head;
  std::vector<T> block(static_cast<std::size_t>(kRowsTurned * head));
  T* const keys = keys_.as<T>() + at * head * key_stride_;
  for (std::int64_t begin = 0; begin < k.rows; begin += kRowsTurned) {
    const std::int64_t rows = std::min(kRowsTurned, k.rows - begin);
    for (std::int64_t i = 0; i < rows; ++i)
      convert(k.row(begin + i), block.data() + i * head, false, first + begin + i);
    for (std::int64_t d = 0; d < head; ++d) {
      T* const line = keys + d * key_stride_ + first + begin;
      for (std::int64_t i = 0; i < rows; ++i)
        line[i] = block[static_cast<std::size_t>(i * head + d)];
    }
  }
  T* const values = values_.as<T>() + at * head * sizes_.positions;
  for (std::int64_t i = 0; i < v.rows; ++i)
    convert(v.row(i), values + (first + i) * head, true, first + i);
}

void KvCache::append(std::int64_t text, std::int64_t head, std::int64_t first, ConstMatrix k,
                     ConstMatrix v) {
  const std::int64_t at = place(text, head);
  const std::int64_t n = sizes_.head;
  switch (format_) {
    case KvFormat::fp32:
      return store<float>(at, first, k, v, [n](const float* row, float* to, bool, std::int64_t) {
        std::copy_n(row, n, to);
      });
    case KvFormat::fp16:
      return store<Half>(at, first, k, v, [n](const float* row, Half* to, bool, std::int64_t) {
        to_halves(row, to, n);
      });
    case KvFormat::int8:
      return store<std::int8_t>(
          at, first, k, v,
          [&](const float* row, std::int8_t* to, bool is_value, std::int64_t position) {
            float& scale = (is_value ? value_scales(at) : key_scales(at))[position];
            scale = scale_of(row, n);
            to_codes(row, scale, to, n);
          });
  }
}

void KvCache::score(std::int64_t text, std::int64_t head, ConstMatrix q, Matrix scores) const {
  const std::int64_t at = place(text, head);
  const std::int64_t base = at * sizes_.head * key_stride_;
  const Product product{.m = q.rows,
                        .n = scores.cols,
                        .k = sizes_.head,
                        .a = q.data,
                        .a_row = q.stride,
                        .b_row = key_stride_,
                        .c = scores.data,
                        .c_row = scores.stride};
  switch (format_) {
    case KvFormat::fp32:
      return multiply(product, keys_.as<float>() + base);
    case KvFormat::fp16:
      return multiply(product, keys_.as<Half>() + base);
    case KvFormat::int8:
      multiply(product, keys_.as<std::int8_t>() + base);
      for (std::int64_t i = 0; i < scores.rows; ++i) {
        for (std::int64_t p = 0; p < scores.cols; ++p) scores.row(i)[p] *= key_scales(at)[p];
      }
  }
}

void KvCache::mix(std::int64_t text, std::int64_t head, Matrix weights, Matrix y) const {
  const std::int64_t at = place(text, head);
  const std::int64_t base = at * sizes_.head * sizes_.positions;
  const Product product{.m = y.rows,
                        .n = sizes_.head,
                        .k = weights.cols,
                        .a = weights.data,
                        .a_row = weights.stride,
                        .b_row = sizes_.head,
                        .c = y.data,
                        .c_row = y.stride};
  switch (format_) {
    case KvFormat::fp32:
      return multiply(product, values_.as<float>() + base);
    case KvFormat::fp16:
      return multiply(product, values_.as<Half>() + base);
    case KvFormat::int8:
      for (std::int64_t i = 0; i < weights.rows; ++i) {
        for (std::int64_t p = 0; p < weights.cols; ++p) weights.row(i)[p] *= value_scales(at)[p];
      }
      multiply(product, values_.as<std::int8_t>() + base);
  }
}

}  // namespace qassay
