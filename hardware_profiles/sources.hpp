#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace qassay {

/// Where facts about a machine are read from. Tests point it at a fixture tree and at a topology
/// that hwloc makes up.
struct Sources {
  std::filesystem::path root = "/";  // under which /proc and /sys are looked for
  std::optional<std::string>
      synthetic_topology;  // hwloc's description, e.g. "package:2 core:4 pu:2"

  bool live() const { return root == "/"; }
  /// `path` is absolute, as on the machine itself.
  std::filesystem::path at(const std::filesystem::path& path) const {
    return root / path.relative_path();
  }
};

inline constexpr std::string_view kUnknown = "unknown";

/// The whole file; nothing where it cannot be read.
std::optional<std::string> read_text(const std::filesystem::path& file);

/// The first line of a file without blanks around it; nothing where it cannot be read, is empty or
/// holds anything but printable ASCII (the store and JSON must be able to carry it).
std::optional<std::string> read_line(const std::filesystem::path& file);

/// Like read_line, as a whole decimal number.
std::optional<std::int64_t> read_integer(const std::filesystem::path& file);

/// What follows `key` and a colon on the first such line ("MemTotal: 1024 kB" -> "1024 kB").
std::optional<std::string> find_field(std::string_view text, std::string_view key);

/// A whole decimal number with an optional minus sign and nothing after it.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// "1024 kB", as /proc writes sizes, in bytes.
std::optional<std::int64_t> parse_kilobytes(std::string_view text);

/// The next word of `text`, taken off its front; empty at the end.
std::string_view take_word(std::string_view& text);

}  // namespace qassay
