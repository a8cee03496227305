#pragma once

#include <string>
#include <string_view>

namespace qassay {

/// In Unicode's normalization form C. Precondition: UTF-8 of less than 2^31 bytes.
std::string nfc(std::string_view utf8);

}  // namespace qassay
