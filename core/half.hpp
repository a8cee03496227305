#pragma once

#include <cstdint>

namespace qassay {

/// IEEE 754 binary16 and bfloat16 as bit patterns; all conversions round to nearest, ties to even,
/// keep infinities and NaN, and treat subnormal numbers exactly.
std::uint16_t f32_to_f16(float value);
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);
float bf16_to_f32(std::uint16_t bits);

inline constexpr float kF16Max = 65504.0F;
inline constexpr float kF16MinSubnormal = 0x1p-24F;

}  // namespace qassay
