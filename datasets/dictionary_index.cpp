#include "datasets/dictionary_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "core/error.hpp"

namespace qassay {
namespace {

constexpr std::string_view kAboutItself = "00-database-";
constexpr const char* kIndexMend = "install or copy the dictionary's files again";

struct IndexLine {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool about_itself = false;
  std::int64_t number = 0;  // from 1
};

[[noreturn]] void refuse_line(std::string_view place, std::int64_t line, std::string_view fault) {
  throw InputError(fmt::format("{}:{}", place, line), fault, kIndexMend);
}

/// No value for what is not base 64; anything above `limit`, however long, gives limit + 1.
/// Precondition: limit < 2^57, so that nothing overflows.
std::optional<std::uint64_t> parse_base64(std::string_view digits, std::uint64_t limit) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const std::size_t number = kDigits.find(digit);
    if (number == std::string_view::npos) return std::nullopt;
    value = std::min(value * 64 + number, limit + 1);
  }
  return value;
}

IndexLine parse_line(std::string_view line, std::int64_t number, std::uint64_t text_bytes,
                     std::string_view place) {
  const std::size_t first = line.find('\t');
  const std::size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos) {
    refuse_line(place, number, "is not a headword, an offset and a length with tabs between");
  }
  const auto offset = parse_base64(line.substr(first + 1, second - first - 1), text_bytes);
  const auto length = parse_base64(line.substr(second + 1), text_bytes);
  if (!offset || !length) {
    refuse_line(place, number, "has an offset or a length that is not a number in base 64");
  }
  if (*length == 0) refuse_line(place, number, "points to an empty entry");
  if (*offset > text_bytes || *length > text_bytes - *offset) {
    refuse_line(place, number,
                fmt::format("points beyond the end of the text of {} bytes", text_bytes));
  }
  return {*offset, *length, line.starts_with(kAboutItself), number};
}

}  // namespace

std::vector<DictionaryEntry> read_dictionary_index(std::string_view index, std::uint64_t text_bytes,
                                                   std::string_view place) {
  std::vector<IndexLine> lines;
  while (!index.empty()) {
    const std::size_t end = std::min(index.find('\n'), index.size());
    lines.push_back(parse_line(index.substr(0, end), static_cast<std::int64_t>(lines.size()) + 1,
                               text_bytes, place));
    index.remove_prefix(std::min(end + 1, index.size()));
  }
  // Of the lines that point to one entry, the first tells whether it is about the dictionary.
  std::ranges::sort(lines, {}, [](const IndexLine& line) {
    return std::tuple(line.offset, line.length, !line.about_itself, line.number);
  });
  std::vector<DictionaryEntry> entries;
  const IndexLine* last = nullptr;
  for (const IndexLine& line : lines) {
    if (last != nullptr && line.offset == last->offset && line.length == last->length) continue;
    if (last != nullptr && line.offset < last->offset + last->length) {
      refuse_line(place, line.number,
                  fmt::format("points to an entry that overlaps the one of line {}", last->number));
    }
    last = &line;
    if (!line.about_itself) entries.push_back({line.offset, line.length});
  }
  return entries;
}

}  // namespace qassay
