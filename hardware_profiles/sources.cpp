#include "hardware_profiles/sources.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <sstream>

namespace qassay {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::string> clean(std::string_view text) {
  text = trim(text);
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), printable)) return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<std::string> read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  // A folder opens, and fails at the first read; an empty file sets failbit as well.
  if (!in || !(text << in.rdbuf())) return std::nullopt;
  return std::move(text).str();
}

std::optional<std::string> read_line(const std::filesystem::path& file) {
  const std::optional<std::string> text = read_text(file);
  if (!text) return std::nullopt;
  return clean(std::string_view(*text).substr(0, text->find('\n')));
}

std::optional<std::int64_t> read_integer(const std::filesystem::path& file) {
  const std::optional<std::string> line = read_line(file);
  return line ? parse_integer(*line) : std::nullopt;
}

std::optional<std::string> find_field(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && trim(line.substr(0, colon)) == key)
      return clean(line.substr(colon + 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_kilobytes(std::string_view text) {
  const std::optional<std::int64_t> kilobytes = parse_integer(take_word(text));
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1024;
  if (!kilobytes || *kilobytes < 0 || *kilobytes > kMost || take_word(text) != "kB")
    return std::nullopt;
  return *kilobytes * 1024;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace qassay
