#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qassay {

/// How many bytes at the beginning are whole characters of UTF-8 (RFC 3629: none of more bytes than
/// it needs, no surrogates, none above U+10FFFF); all of them where the text is UTF-8.
std::size_t valid_utf8(std::string_view text);

/// In Unicode's normalization form C. Precondition: UTF-8 of less than 2^31 bytes.
std::string nfc(std::string_view utf8);

}  // namespace qassay
