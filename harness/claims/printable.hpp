#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qassay {

/// The text with everything that could steer a terminal spelled out: control characters (C0, DEL,
/// C1), marks that turn the direction of text, and bytes that are not UTF-8 become \xNN or \uNNNN.
/// For every string that came from outside, on its way to a terminal.
std::string printable(std::string_view text);

/// Code points of a text that printable() returned.
std::size_t display_width(std::string_view text);

}  // namespace qassay
