#include "reports/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace qassay {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// Length of the UTF-8 character that `text` begins with, 0 when there is none. Overlong forms,
/// surrogates and values above U+10FFFF are none (Unicode 15, table 3-7).
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto in = [&](std::size_t i, int low, int high) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const int lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const int low = lead == 0xE0 ? 0xA0 : 0x80;
    const int high = lead == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const int low = lead == 0xF0 ? 0x90 : 0x80;
    const int high = lead == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

/// Embeddings, overrides and isolates can make a text read as another one; U+0080...U+009F are
/// invisible controls.
bool deceives(std::string_view character) {
  const auto between = [&](std::string_view low, std::string_view high) {
    return character.size() == low.size() && character >= low && character <= high;
  };
  return between("\xE2\x80\xAA", "\xE2\x80\xAE") ||  // U+202A...U+202E
         between("\xE2\x81\xA6", "\xE2\x81\xA9") ||  // U+2066...U+2069
         between("\xE2\x80\x8E", "\xE2\x80\x8F") ||  // U+200E, U+200F
         between("\xC2\x80", "\xC2\x9F");
}

}  // namespace

std::string readable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    const auto first = static_cast<std::uint8_t>(character[0]);
    if (length == 0 || deceives(character)) {
      result += kReplacement;
    } else if (first == 0x7F) {
      result += "\xE2\x90\xA1";  // U+2421
    } else if (first < 0x20 && first != '\t' && first != '\n') {
      result += "\xE2\x90";  // U+2400 + first
      result += static_cast<char>(0x80 + first);
    } else {
      result += character;
    }
    text.remove_prefix(character.size());
  }
  return result;
}

std::string html(std::string_view text) {
  std::string result;
  for (const char c : readable(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string script_json(const nlohmann::json& value) {
  constexpr int kNoIndent = -1;
  const std::string text =
      value.dump(kNoIndent, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    // In JSON these stand only inside strings, where the escaped form means the same.
    if (c == '<' || c == '>' || c == '&') {
      result += fmt::format("\\u{:04x}", c);
    } else {
      result += c;
    }
  }
  return result;
}

std::string fill_places(std::string_view page, std::span<const Filling> fillings) {
  std::string result;
  while (true) {
    const std::size_t open = page.find("{{");
    result += page.substr(0, open);
    if (open == page.npos) return result;
    const std::size_t close = page.find("}}", open);
    if (close == page.npos) throw std::logic_error("a place of the template has no end");
    const std::string_view name = page.substr(open + 2, close - open - 2);
    const auto filling = std::find_if(fillings.begin(), fillings.end(),
                                      [&](const Filling& each) { return each.name == name; });
    if (filling == fillings.end()) {
      throw std::logic_error(fmt::format("the template has a place '{}' that is not filled", name));
    }
    result += filling->text;
    page.remove_prefix(close + 2);
  }
}

}  // namespace qassay
