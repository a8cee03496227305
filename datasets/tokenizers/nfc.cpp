#include "datasets/tokenizers/nfc.hpp"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <cstdint>
#include <stdexcept>

namespace qassay {
namespace {

void check_icu(UErrorCode status) {
  if (U_FAILURE(status) != 0) {
    throw std::runtime_error(fmt::format("ICU cannot normalize ({})", u_errorName(status)));
  }
}

}  // namespace

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
