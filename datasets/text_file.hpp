#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "datasets/text_set.hpp"

namespace qassay {

/// A text of the user's own; its name is the path. Throws InputError for a file that cannot be
/// read, is empty, or is not valid UTF-8 (with the offset of the first byte that is not).
TextSet read_text_file(const std::filesystem::path& path);

/// Decimal token ids separated by white space (spaces, tabs, ends of lines), each from 0 to
/// 2^31 - 1. Throws InputError for a file that cannot be read, that has none, or with the line of
/// what is no such number.
std::vector<std::int32_t> read_token_file(const std::filesystem::path& path);

/// The same from memory. `place`: for messages.
std::vector<std::int32_t> parse_tokens(std::string_view text, std::string_view place);

}  // namespace qassay
