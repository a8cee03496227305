#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace qassay {

/// Where the first byte sequence begins that is not well-formed UTF-8 (Unicode 15, table 3-7: no
/// overlong forms, no surrogates, nothing above U+10FFFF). No value for text that is sound.
std::optional<std::size_t> first_not_utf8(std::string_view text);

}  // namespace qassay
