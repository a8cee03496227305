#include "datasets/utf8.hpp"

#include <cstdint>

namespace qassay {
namespace {

struct Lead {
  std::size_t length = 0;                // of the whole sequence; 0: no sequence begins so
  std::uint8_t low = 0x80, high = 0xBF;  // of the second byte
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {};
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

}  // namespace

std::optional<std::size_t> first_not_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const Lead lead = lead_of(byte(0));
    if (lead.length == 0 || lead.length > text.size() - at) return at;
    if (lead.length > 1 && (byte(1) < lead.low || byte(1) > lead.high)) return at;
    for (std::size_t i = 2; i < lead.length; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return at;
    }
    at += lead.length;
  }
  return std::nullopt;
}

}  // namespace qassay
