#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace qassay {

/// Before which windows a begin-of-text token stands. It takes one of the `context` positions.
enum class Bos { none, first_window, every_window };
/// What stands between the texts of a set.
enum class Join { none, newline, blank_line };
/// What becomes of the tokens after the last whole window.
enum class Tail { dropped, kept };

/// How a causal language model is evaluated on a text. Figures that were taken under different
/// protocols are not comparable.
struct TextProtocol {
  std::string text;          // its name: "gcide/test", or that of a file
  std::int64_t context = 0;  // positions that the model sees at once, 2 or more
  std::int64_t stride = 0;   // new tokens from one window to the next, 1 to `context`
  Bos bos = Bos::none;
  Join join = Join::newline;
  Tail tail = Tail::dropped;
  std::string tokens_hash;  // hash_tokens() of the whole text

  bool operator==(const TextProtocol&) const = default;
};

/// Of "none", "first-window" and "every-window".
std::optional<Bos> parse_bos(std::string_view text);

/// SHA-256 of the ids as little-endian int32.
std::string hash_tokens(std::span<const std::int32_t> tokens);

/// "text=NAME context=512 stride=256 bos=none join=newline tail=dropped tokens=HASH", for cases and
/// the store: equal texts mean equal protocols. Blanks and '%' of the name are percent-encoded.
std::string to_text(const TextProtocol& protocol);

/// The fields of such a text by name, in its order, decoded.
std::vector<std::pair<std::string, std::string>> protocol_fields(std::string_view text);

/// Why figures taken under the two protocols (or texts of such) are not comparable, with the first
/// field that differs and its two values. No value for equal protocols.
std::optional<Refusal> refuse_comparison(std::string_view one, std::string_view other);
std::optional<Refusal> refuse_comparison(const TextProtocol& one, const TextProtocol& other);

/// The model is given the text's tokens begin .. begin + length - 1, after a begin-of-text token
/// where `bos` says so. Token i of the window (from 0) is scored for i from `scored_from`, by the
/// logits of the position before it: row i - 1 of the window's logits, or row i where `bos` stands.
struct TextWindow {
  std::int64_t begin = 0;
  std::int64_t length = 0;
  std::int64_t scored_from = 0;
  bool bos = false;

  std::int64_t scored() const { return length - scored_from; }
  bool operator==(const TextWindow&) const = default;
};

/// The windows of a text of that many tokens. Each is as long as its context (less one where a
/// begin-of-text token stands) and ends `stride` tokens after the one before it, or as many as it
/// holds: with stride == context they do not overlap. Only the tokens that no earlier window holds
/// are scored, and never one that nothing stands before. Where the tail is kept, the last window
/// begins where a whole one would, and ends with the text.
/// Throws InputError for a context below 2, a stride below 1 or above the context, and for a text
/// too short for one window.
std::vector<TextWindow> windows(std::int64_t token_count, const TextProtocol& protocol);

}  // namespace qassay
