#include "datasets/tokenizers/utf8.hpp"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <cstdint>
#include <stdexcept>

namespace qassay {
namespace {

/// What may follow a first byte: `bytes` in all, the second of them from `low` to `high` and the
/// others from 80 to BF; 0 bytes where no character begins so.
struct Utf8Form {
  std::size_t bytes;
  unsigned char low;
  unsigned char high;
};

Utf8Form utf8_form(unsigned char first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

bool valid_character(std::string_view rest, const Utf8Form& form) {
  if (form.bytes == 0 || rest.size() < form.bytes) return false;
  const auto within = [&](std::size_t i, unsigned char low, unsigned char high) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    return byte >= low && byte <= high;
  };
  if (form.bytes > 1 && !within(1, form.low, form.high)) return false;
  for (std::size_t i = 2; i < form.bytes; ++i) {
    if (!within(i, 0x80, 0xBF)) return false;
  }
  return true;
}

void check_icu(UErrorCode status) {
  if (U_FAILURE(status) != 0) {
    throw std::runtime_error(fmt::format("ICU cannot normalize ({})", u_errorName(status)));
  }
}

}  // namespace

std::size_t valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const Utf8Form form = utf8_form(static_cast<unsigned char>(text[at]));
    if (!valid_character(text.substr(at), form)) return at;
    at += form.bytes;
  }
  return at;
}

std::string nfc(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = icu::Normalizer2::getNFCInstance(status);
  check_icu(status);
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  form->normalizeUTF8(0, {utf8.data(), static_cast<std::int32_t>(utf8.size())}, sink, nullptr,
                      status);
  check_icu(status);
  return result;
}

}  // namespace qassay
