#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qassay {

/// Vocabularies of byte-level BPE write each byte as one letter that can be seen, as GPT-2 did: the
/// bytes 21-7E, A1-AC and AE-FF as the characters of that number, the others, in order, as U+0100
/// and on. So a space is U+0120.

/// The bytes that the letters stand for; nothing where one of them is no such letter.
std::optional<std::string> bytes_of_letters(std::string_view letters);
std::string letters_of_bytes(std::string_view bytes);

}  // namespace qassay
