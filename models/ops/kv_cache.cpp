#include "models/ops/kv_cache.hpp"

#include <algorithm>
#include <cmath>

#include "core/extremes.hpp"
#include "core/half.hpp"

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

/// 127 steps to the largest magnitude; of zeros 0.
float scale_of(const float* row, std::int64_t n) { return largest_magnitude(row, n) / kSteps; }

std::int8_t code_of(float value, float scale) {
  return static_cast<std::int8_t>(scale > 0 ? std::lrint(std::clamp(value / scale, -kSteps, kSteps))
                                            : 0);
}

/// Beyond the range of binary16 it is the largest number, for products take finite ones only.
Half half_of(float value) { return f32_to_f16(std::clamp(value, -kF16Max, kF16Max)); }

}  // namespace

KvCache::KvCache(const Sizes& sizes, KvFormat format) : sizes_(sizes), format_(format) {
  const auto rows = static_cast<std::size_t>(sizes.texts * sizes.heads * sizes.positions);
  keys_ = Buffer(rows * static_cast<std::size_t>(sizes.head) * width(format));
  values_ = Buffer(keys_.size());
  if (format == KvFormat::int8) scales_ = Buffer(2 * rows * sizeof(float));
}

void KvCache::append(std::int64_t text, std::int64_t head, std::int64_t first, ConstMatrix k,
                     ConstMatrix v) {
  const std::int64_t at = place(text, head);
  const std::int64_t base = at * sizes_.head * sizes_.positions;
  const auto store = [&](auto* keys, auto* values, auto convert_key, auto convert_value) {
    for (std::int64_t i = 0; i < k.rows; ++i) {
      const std::int64_t position = first + i;
      for (std::int64_t d = 0; d < sizes_.head; ++d) {
        keys[base + d * sizes_.positions + position] = convert_key(k.row(i)[d], position);
        values[base + position * sizes_.head + d] = convert_value(v.row(i)[d], position);
      }
    }
  };
  const auto same = [](float value, std::int64_t) { return value; };
  const auto half = [](float value, std::int64_t) { return half_of(value); };
  switch (format_) {
    case KvFormat::fp32:
      store(keys_.as<float>(), values_.as<float>(), same, same);
      return;
    case KvFormat::fp16:
      store(keys_.as<Half>(), values_.as<Half>(), half, half);
      return;
    case KvFormat::int8:
      for (std::int64_t i = 0; i < k.rows; ++i) {
        key_scales(at)[first + i] = scale_of(k.row(i), sizes_.head);
        value_scales(at)[first + i] = scale_of(v.row(i), sizes_.head);
      }
      store(
          keys_.as<std::int8_t>(), values_.as<std::int8_t>(),
          [&](float value, std::int64_t p) { return code_of(value, key_scales(at)[p]); },
          [&](float value, std::int64_t p) { return code_of(value, value_scales(at)[p]); });
      return;
  }
}

void KvCache::score(std::int64_t text, std::int64_t head, ConstMatrix q, Matrix scores) const {
  const std::int64_t at = place(text, head);
  const std::int64_t base = at * sizes_.head * sizes_.positions;
  const Product product{.m = q.rows,
                        .n = scores.cols,
                        .k = sizes_.head,
                        .a = q.data,
                        .a_row = q.stride,
                        .b_row = sizes_.positions,
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
