#include "datasets/text_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
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

/// Every field by its name, in the order of the canonical text.
std::array<std::pair<std::string_view, std::string>, 6> fields_of(const TextProtocol& protocol) {
  return {{{"context", fmt::to_string(protocol.context)},
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

std::optional<Refusal> refuse_comparison(const TextProtocol& one, const TextProtocol& other) {
  const auto fields = fields_of(one);
  const auto others = fields_of(other);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].second != others[i].second) {
      return Refusal{fmt::format("the evaluation protocols differ: {} is {} and {}",
                                 fields[i].first, fields[i].second, others[i].second)};
    }
  }
  return std::nullopt;
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
