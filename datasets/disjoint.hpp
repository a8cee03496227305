#pragma once

#include <cstdint>
#include <span>

namespace qassay {

/// As many tokens in a row that stand in both texts are no accident.
inline constexpr std::int64_t kOverlapTokens = 256;

/// Throws InputError where calibration and evaluation are the same tokens, or share
/// kOverlapTokens of them in a row anywhere. Exact; the expected time is linear in the tokens, but
/// for sorting the shorter text's positions.
void check_disjoint(std::span<const std::int32_t> calibration,
                    std::span<const std::int32_t> evaluation);

}  // namespace qassay
