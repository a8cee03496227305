#pragma once

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/error.hpp"

namespace qassay {

/// Ends the program, which is what a fuzzer looks for.
inline void expect(bool condition) {
  if (!condition) std::abort();
}

/// Calls `read` with what is not trusted. It may refuse with one line that can be printed, and do
/// nothing else.
template <typename Read>
void expect_read_or_told(Read read) {
  try {
    read();
  } catch (const InputError& error) {
    const std::string_view text = error.what();
    expect(std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7F; }));
  }
}

}  // namespace qassay
