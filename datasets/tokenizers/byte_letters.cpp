#include "datasets/tokenizers/byte_letters.hpp"

#include <array>
#include <cstddef>

namespace qassay {
namespace {

constexpr std::size_t kHidden = 256 - (0x7E - 0x21 + 1) - (0xAC - 0xA1 + 1) - (0xFF - 0xAE + 1);

struct ByteLetters {
  std::array<unsigned, 256> letter{};     // code point of a byte
  std::array<int, 256 + kHidden> byte{};  // of a code point, -1 where it is no letter

  ByteLetters() {
    byte.fill(-1);
    unsigned hidden = 256;
    for (unsigned i = 0; i < letter.size(); ++i) {
      const bool seen = (i >= 0x21 && i <= 0x7E) || (i >= 0xA1 && i <= 0xAC) || i >= 0xAE;
      letter[i] = seen ? i : hidden++;
      byte[letter[i]] = static_cast<int>(i);
    }
  }
};

const ByteLetters& byte_letters() {
  static const ByteLetters kLetters;
  return kLetters;
}

}  // namespace

std::optional<std::string> bytes_of_letters(std::string_view letters) {
  std::string bytes;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    std::size_t point = static_cast<unsigned char>(letters[i]);
    if (point >= 0x80) {  // all letters have one or two bytes
      if ((point & 0xE0) != 0xC0 || i + 1 == letters.size()) return std::nullopt;
      point = (point & 0x1F) << 6 | (static_cast<unsigned char>(letters[++i]) & 0x3F);
    }
    if (point >= byte_letters().byte.size() || byte_letters().byte[point] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte_letters().byte[point]));
  }
  return bytes;
}

std::string letters_of_bytes(std::string_view bytes) {
  std::string letters;
  for (const char c : bytes) {
    const unsigned point = byte_letters().letter[static_cast<unsigned char>(c)];
    if (point < 0x80) {
      letters.push_back(static_cast<char>(point));
    } else {
      letters.push_back(static_cast<char>(0xC0 | point >> 6));
      letters.push_back(static_cast<char>(0x80 | (point & 0x3F)));
    }
  }
  return letters;
}

}  // namespace qassay
