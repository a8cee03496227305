#include "datasets/text_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "datasets/utf8.hpp"

namespace qassay {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string_view as_text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

[[noreturn]] void refuse_word(std::string_view word, std::string_view place, std::int64_t line) {
  constexpr std::size_t kShown = 20;
  std::string shown(word.substr(0, kShown));
  for (char& byte : shown) {
    if (byte < ' ' || byte > '~') byte = '?';
  }
  throw InputError(fmt::format("{}:{}", place, line),
                   fmt::format("'{}{}' is no token id", shown, word.size() > kShown ? "..." : ""),
                   "write decimal numbers from 0 to 2147483647 with white space between");
}

}  // namespace

TextSet read_text_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view text = as_text(file);
  if (text.empty()) throw InputError(path.string(), "is empty", "give a file with text");
  if (const auto fault = first_not_utf8(text)) {
    throw InputError(path.string(), fmt::format("is not UTF-8 at byte {}", *fault),
                     "convert it, for instance with iconv -t UTF-8");
  }
  return {path.string(), sha256(text), std::string(text)};
}

std::vector<std::int32_t> read_token_file(const std::filesystem::path& path) {
  const MappedFile file(path);
  return parse_tokens(as_text(file), path.string());
}

std::vector<std::int32_t> parse_tokens(std::string_view text, std::string_view place) {
  std::vector<std::int32_t> tokens;
  std::int64_t line = 1;
  std::size_t at = 0;
  while (at < text.size()) {
    if (kWhiteSpace.find(text[at]) != std::string_view::npos) {
      line += text[at] == '\n' ? 1 : 0;
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(kWhiteSpace, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    std::int32_t token = 0;
    const auto [stop, error] = std::from_chars(word.begin(), word.end(), token);
    if (error != std::errc() || stop != word.end() || token < 0 || word.front() == '-') {
      refuse_word(word, place, line);
    }
    tokens.push_back(token);
    at = end;
  }
  if (tokens.empty()) {
    throw InputError(place, "has no token ids", "write decimal numbers with white space between");
  }
  return tokens;
}

}  // namespace qassay
