#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace qassay {

/// How the keys and values of the tokens before are kept: as they are, rounded to IEEE binary16, or
/// as int8 with one FP32 scale a token and head (symmetric, 127 steps to the largest magnitude).
enum class KvFormat { fp32, fp16, int8 };

inline constexpr std::array kKvFormats{std::pair{KvFormat::fp32, std::string_view("FP32")},
                                       std::pair{KvFormat::fp16, std::string_view("FP16")},
                                       std::pair{KvFormat::int8, std::string_view("INT8")}};

inline std::string_view to_string(KvFormat format) {
  return kKvFormats[static_cast<std::size_t>(format)].second;
}

/// Of its name.
inline std::optional<KvFormat> parse_kv_format(std::string_view text) {
  const auto found =
      std::ranges::find(kKvFormats, text, &std::pair<KvFormat, std::string_view>::second);
  return found == kKvFormats.end() ? std::nullopt : std::optional(found->first);
}

}  // namespace qassay
