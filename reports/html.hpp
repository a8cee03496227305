#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace qassay {

/// Valid UTF-8 that shows what it holds: bytes that are no UTF-8 and characters that change the
/// direction of text become U+FFFD, control characters their pictures (U+2400...); tabs and line
/// ends stay.
std::string readable(std::string_view text);

/// `readable` text, escaped for HTML text and for attribute values in either kind of quotes.
std::string html(std::string_view text);

/// JSON that may stand inside a <script> element: ASCII without `<`, `>` and `&`. Invalid UTF-8 in
/// strings becomes U+FFFD; NaN and infinity become null.
std::string script_json(const nlohmann::json& value);

struct Filling {
  std::string_view name;
  std::string text;
};

/// Fills the places {{name}} of a page in one pass: what is put in is not looked at again, so a
/// text that holds {{name}} stays text. Throws std::logic_error on a place that has no filling.
std::string fill_places(std::string_view page, std::span<const Filling> fillings);

}  // namespace qassay
