#include "core/half.hpp"

#include <bit>

namespace qassay {
namespace {

constexpr std::uint32_t kF32Infinity = 0x7F800000U;

/// Drops `shift` low bits of `bits`, rounding to nearest, ties to even.
std::uint32_t shift_round(std::uint32_t bits, int shift) {
  const std::uint32_t half = 1U << (shift - 1);
  const std::uint32_t odd = (bits >> shift) & 1U;
  return (bits + half - 1U + odd) >> shift;
}

}  // namespace

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > kF32Infinity)
    return static_cast<std::uint16_t>(sign | 0x7E00U);  // NaN, made quiet
  if (magnitude >= 0x47800000U)
    return static_cast<std::uint16_t>(sign | 0x7C00U);  // 2^16 and above
  if (magnitude < 0x38800000U) {                        // below 2^-14: subnormal, in steps of 2^-24
    const int exponent = static_cast<int>(magnitude >> 23);
    if (exponent < 102) return static_cast<std::uint16_t>(sign);  // below 2^-25: zero
    const std::uint32_t significand = (magnitude & 0x7FFFFFU) | 0x800000U;
    return static_cast<std::uint16_t>(sign | shift_round(significand, 126 - exponent));
  }
  // Rebias the exponent from 127 to 15; a carry out of the significand moves it up, to infinity
  // too.
  return static_cast<std::uint16_t>(sign | shift_round(magnitude - (112U << 23), 13));
}

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | kF32Infinity | (fraction << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112U) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * kF16MinSubnormal;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > kF32Infinity) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>(shift_round(bits, 16));
}

float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace qassay
