#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace qassay {

/// SHA-256 as 64 lowercase hexadecimal digits.
std::string sha256(std::span<const std::byte> bytes);
std::string sha256(std::string_view text);
/// Throws InputError when the file cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace qassay
