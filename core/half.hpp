#pragma once

#include <bit>
#include <cstdint>

namespace qassay {

// IEEE 754 binary16 and bfloat16 as bit patterns. All conversions round to nearest, ties to even,
// keep infinities and NaN (made quiet), and treat subnormal numbers exactly. Without branches and
// inline, so that loops over them vectorize.

inline constexpr float kF16Max = 65504.0F;
inline constexpr float kF16MinNormal = 0x1p-14F;
inline constexpr float kF16MinSubnormal = 0x1p-24F;

namespace half_detail {

inline constexpr std::int32_t kMagnitude = 0x7FFFFFFF;
inline constexpr std::int32_t kF32Infinity = 0x7F800000;
inline constexpr std::int32_t kRebias = (127 - 15) << 23;  // between the exponents of both formats

/// Drops `shift` low bits of `bits`, rounding to nearest, ties to even; a carry out of the
/// significand moves the exponent up, to infinity too.
inline std::int32_t shift_round(std::int32_t bits, int shift) {
  const auto raw = static_cast<std::uint32_t>(bits);  // NaN patterns would overflow a signed sum
  const std::uint32_t half = 1U << (shift - 1);
  return static_cast<std::int32_t>((raw + half - 1 + ((raw >> shift) & 1U)) >> shift);
}

}  // namespace half_detail

inline std::uint16_t f32_to_f16(float value) {
  using namespace half_detail;
  const auto bits = std::bit_cast<std::int32_t>(value);
  const std::int32_t magnitude = bits & kMagnitude;
  // The last bit of 0.5 is worth 2^-24, the step of subnormal numbers: the addition rounds to it.
  const std::int32_t subnormal =
      std::bit_cast<std::int32_t>(std::bit_cast<float>(magnitude) + 0.5F) -
      std::bit_cast<std::int32_t>(0.5F);
  std::int32_t half = shift_round(magnitude - kRebias, 13);
  half = magnitude < std::bit_cast<std::int32_t>(kF16MinNormal) ? subnormal : half;
  half = magnitude >= std::bit_cast<std::int32_t>(0x1p16F) ? 0x7C00 : half;
  half = magnitude > kF32Infinity ? 0x7E00 : half;
  return static_cast<std::uint16_t>(((bits >> 16) & 0x8000) | half);
}

inline float f16_to_f32(std::uint16_t bits) {
  using namespace half_detail;
  const std::int32_t magnitude = bits & 0x7FFF;
  const std::int32_t subnormal =
      std::bit_cast<std::int32_t>(static_cast<float>(magnitude) * kF16MinSubnormal);
  std::int32_t wide = (magnitude << 13) + kRebias;
  wide = magnitude < 0x0400 ? subnormal : wide;
  wide = magnitude >= 0x7C00 ? wide + kRebias : wide;  // infinity and NaN: the exponent's all ones
  return std::bit_cast<float>(wide | ((bits & 0x8000) << 16));
}

inline std::uint16_t f32_to_bf16(float value) {
  using namespace half_detail;
  const auto bits = std::bit_cast<std::int32_t>(value);
  const std::int32_t magnitude = bits & kMagnitude;
  std::int32_t half = shift_round(magnitude, 16);
  half = magnitude > kF32Infinity ? (magnitude >> 16) | 0x40 : half;
  return static_cast<std::uint16_t>(((bits >> 16) & 0x8000) | half);
}

inline float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace qassay
