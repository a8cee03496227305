#include "datasets/text_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/hash.hpp"

namespace qassay {
namespace {

std::string_view name_of(Bos bos) {
  switch (bos) {
    case Bos::none:
      return "none";
    case Bos::first_window:
      return "first-window";
    case Bos::every_window:
      return "every-window";
  }
  return {};
}

std::string_view name_of(Join join) {
  switch (join) {
    case Join::none:
      return "none";
    case Join::newline:
      return "newline";
    case Join::blank_line:
      return "blank-line";
  }
  return {};
}

std::string_view name_of(Tail tail) { return tail == Tail::kept ? "kept" : "dropped"; }

/// Without what separates the fields.
std::string encoded(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '%' || static_cast<unsigned char>(c) <= ' ') {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text;
}

std::string decoded(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
      name += static_cast<char>(code);
      i += 2;
    } else {
      name += text[i];
    }
  }
  return name;
}

/// Every field by its name, in the order of the canonical text.
std::array<std::pair<std::string_view, std::string>, 7> fields_of(const TextProtocol& protocol) {
  return {{{"text", encoded(protocol.text)},
           {"context", fmt::to_string(protocol.context)},
           {"stride", fmt::to_string(protocol.stride)},
           {"bos", std::string(name_of(protocol.bos))},
           {"join", std::string(name_of(protocol.join))},
           {"tail", std::string(name_of(protocol.tail))},
           {"tokens", protocol.tokens_hash}}};
}

void check_protocol(const TextProtocol& protocol) {
  if (protocol.context < 2) {
    throw InputError("context",
                     fmt::format("is {}, which leaves nothing to predict", protocol.context),
                     "choose 2 or more");
  }
  if (protocol.stride < 1 || protocol.stride > protocol.context) {
    throw InputError("stride",
                     fmt::format("is {} with a context of {}", protocol.stride, protocol.context),
                     fmt::format("choose one from 1 to {}", protocol.context));
  }
}

}  // namespace

std::optional<Bos> parse_bos(std::string_view text) {
  for (const Bos bos : {Bos::none, Bos::first_window, Bos::every_window}) {
    if (text == name_of(bos)) return bos;
  }
  return std::nullopt;
}

std::string hash_tokens(std::span<const std::int32_t> tokens) {
  static_assert(std::endian::native == std::endian::little);
  return sha256(std::as_bytes(tokens));
}

std::string to_text(const TextProtocol& protocol) {
  std::string text;
  for (const auto& [name, value] : fields_of(protocol)) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> protocol_fields(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    const std::size_t equals = std::min(field.find('='), field.size());
    fields.emplace_back(field.substr(0, equals),
                        decoded(field.substr(std::min(equals + 1, field.size()))));
  }
  return fields;
}

std::optional<Refusal> refuse_comparison(std::string_view one, std::string_view other) {
  const auto fields = protocol_fields(one);
  const auto others = protocol_fields(other);
  for (std::size_t i = 0; i < std::min(fields.size(), others.size()); ++i) {
    if (fields[i] == others[i]) continue;
    return Refusal{fmt::format("the evaluation protocols differ: {} is {} and {}", fields[i].first,
                               fields[i].second, others[i].second)};
  }
  if (fields.size() == others.size()) return std::nullopt;
  return Refusal{"the evaluation protocols differ: one has more fields"};
}

std::optional<Refusal> refuse_comparison(const TextProtocol& one, const TextProtocol& other) {
  return refuse_comparison(to_text(one), to_text(other));
}

std::vector<TextWindow> windows(std::int64_t token_count, const TextProtocol& protocol) {
  check_protocol(protocol);
  std::vector<TextWindow> all;
  std::int64_t done = 0;  // tokens that some window holds
  while (done < token_count) {
    const bool first = all.empty();
    const bool bos =
        protocol.bos == Bos::every_window || (protocol.bos == Bos::first_window && first);
    const std::int64_t room = protocol.context - (bos ? 1 : 0);
    const std::int64_t end = done + (first ? room : std::min(protocol.stride, room));
    if (end > token_count && (first || protocol.tail == Tail::dropped)) break;
    TextWindow window;
    window.begin = end - room;
    window.length = std::min(end, token_count) - window.begin;
    window.scored_from = std::max(done - window.begin, std::int64_t{bos ? 0 : 1});
    window.bos = bos;
    done = window.begin + window.length;
    if (window.scored() > 0) all.push_back(window);
  }
  if (all.empty()) {
    throw InputError("evaluation text",
                     fmt::format("has {} tokens, fewer than one window of context {} holds",
                                 token_count, protocol.context),
                     "choose a longer text or a shorter context");
  }
  return all;
}

}  // namespace qassay
