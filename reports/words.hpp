#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/record.hpp"

namespace qassay {

/// How a verdict is shown: never by colour alone.
struct VerdictLook {
  std::string_view name;   // as in VerdictRow::verdict
  std::string_view words;  // "better than claimed"
  std::string_view sign;   // a shape that stands without colour
};

/// In the order in which a reader wants them.
inline constexpr VerdictLook kVerdictLooks[] = {
    {"confirmed", "confirmed", "✓"},       {"better_than_claimed", "better than claimed", "▲"},
    {"refuted", "refuted", "✗"},           {"inconclusive", "inconclusive", "?"},
    {"not_testable", "not testable", "–"},
};

/// The look of a verdict; an unknown one is shown under its own name, with the sign "?".
VerdictLook look_of(std::string_view verdict);

/// What a reason code means, in a sentence; a code that is not known is given back.
std::string reason_words(std::string_view code);

/// "measured on this machine"; derived and predicted figures say that they are not measured.
std::string_view evidence_words(std::string_view kind);

/// "decode: M = 1, cold weights, 2 threads".
std::string regime_words(std::int64_t m, std::string_view cache, int threads);

/// A whole model, whose weights are as hot as it leaves them: "128 samples at once, 2 threads", of
/// a language model "prefill, 256 tokens at once, 2 threads" or "decode, a token at a time, 2
/// threads".
std::string network_words(const Record& about);

/// Whether flips of this McNemar p are uneven: "real (p = 0.003)", "no more than chance (p = 0.4)".
std::string chance_words(double p);

/// "best-fp32" -> "the fastest FP32 on this machine".
std::string baseline_words(std::string_view baseline);

bool is_testable(const VerdictRow& row);

/// Whether a row has a figure to show: one that is not testable has none.
bool has_figure(const VerdictRow& row);

/// Why the verdict is what it is, in words: where the interval lies against the claimed range.
std::string verdict_words(const VerdictRow& row, bool quick);

}  // namespace qassay
