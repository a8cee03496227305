#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace qassay {

/// Bad input or usage, told to the person who can mend it. The program prints the message on one
/// line and exits with status 2.
class InputError : public std::runtime_error {
 public:
  /// `place`: the file (and line or key); `fault`: what is wrong there; `mend`: what to do about
  /// it.
  InputError(std::string_view place, std::string_view fault, std::string_view mend)
      : std::runtime_error(fmt::format("{}: {}; {}", place, fault, mend)) {}

  /// A message that was made so in another process.
  explicit InputError(const std::string& whole) : std::runtime_error(whole) {}
};

/// An expected "no" is a value: its reason is stored and shown.
struct Refusal {
  std::string reason;
};

}  // namespace qassay
