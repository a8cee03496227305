#include "datasets/tokenizers/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/json_object.hpp"
#include "datasets/tokenizers/byte_letters.hpp"

namespace qassay {
namespace {

constexpr std::int32_t kMostTokens = 1 << 24;

std::int32_t read_token_id(const JsonObject& json, std::string_view key) {
  return static_cast<std::int32_t>(json.integer(key, 0, kMostTokens - 1));
}

}  // namespace

void Vocabulary::refuse(const std::string& fault, std::string_view mend) const {
  throw InputError(file_, fault, mend);
}

void Vocabulary::add_letters(const JsonObject& ids) {
  for (const std::string& text : ids.keys()) {
    if (text.empty()) ids.refuse("", "has a token of no text", "remove it");
    const std::int32_t id = read_token_id(ids, text);
    entries_.push_back({text, bytes_of_letters(text), id});
    ids_.emplace(text, id);
  }
}

void Vocabulary::add_word(const JsonObject& token) {
  const std::string text = token.text("content");
  const std::int32_t id = read_token_id(token, "id");
  if (text.empty()) token.refuse("content", "is empty", "remove the token");
  const auto [known, is_new] = ids_.emplace(text, id);
  if (known->second != id) {
    refuse(fmt::format("gives '{}' the ids {} and {}", excerpt(text), known->second, id),
           "keep one of them");
  }
  if (is_new) {
    entries_.push_back({text, std::nullopt, id});
  } else if (const auto bytes = bytes_of_letters(text); bytes && *bytes != text) {
    refuse(fmt::format("has '{}' as a text and as letters for other bytes", excerpt(text)),
           "remove one of them");
  }
}

std::optional<std::int32_t> Vocabulary::find(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Vocabulary::tokens() const {
  std::size_t size = 0;
  for (const Entry& entry : entries_) size = std::max(size, std::size_t{1} + entry.id);
  if (size / 2 > entries_.size()) {
    refuse(fmt::format("has ids up to {} for {} tokens", size - 1, entries_.size()),
           "give them ids from 0 on");
  }
  std::vector<std::string> tokens(size);
  for (const Entry& entry : entries_) {
    if (!tokens[entry.id].empty()) {
      refuse(fmt::format("gives '{}' the id {}, which another token has", excerpt(entry.text),
                         entry.id),
             "give each its own");
    }
    tokens[entry.id] = entry.bytes.value_or(entry.text);
  }
  return tokens;
}

std::array<std::int32_t, 256> Vocabulary::bytes() const {
  std::array<std::int32_t, 256> ids{};
  for (unsigned i = 0; i < ids.size(); ++i) {
    const auto byte = static_cast<char>(i);
    const bool occurs = i < 0xC0 || (i > 0xC1 && i < 0xF5);  // in UTF-8
    const auto id = find(letters_of_bytes({&byte, 1}));
    if (occurs && !id) {
      refuse(fmt::format("has no token for the byte {:02X}", i), "add one for every byte");
    }
    ids[i] = id.value_or(-1);
  }
  return ids;
}

IdOfText Vocabulary::ids_of_bytes() const {
  IdOfText ids;
  for (const Entry& entry : entries_) {
    if (entry.bytes) ids.emplace(*entry.bytes, entry.id);
  }
  return ids;
}

void MergeList::refuse(const std::string& fault, std::string_view mend) const {
  throw InputError(fmt::format("{}: merge {}", file_, merges_.size() + 1), fault, mend);
}

void MergeList::add(std::string_view left, std::string_view right) {
  const auto id = [&](std::string_view token) {
    const auto found = vocabulary_.find(token);
    if (!found) {
      refuse(fmt::format("names '{}', which is not in the vocabulary", excerpt(token)),
             "add the token or remove the merge");
    }
    return *found;
  };
  const Bpe::Merge merge{id(left), id(right), id(std::string(left) + std::string(right))};
  if (!pairs_
           .insert(std::uint64_t{static_cast<std::uint32_t>(merge.left)} << 32 |
                   static_cast<std::uint32_t>(merge.right))
           .second) {
    refuse(fmt::format("is of '{}' and '{}', as an earlier one", excerpt(left), excerpt(right)),
           "remove one of them");
  }
  merges_.push_back(merge);
}

void MergeList::add(std::string_view pair) {
  const std::size_t space = pair.find(' ');
  if (space == std::string_view::npos || pair.find(' ', space + 1) != std::string_view::npos) {
    refuse(fmt::format("is '{}'", excerpt(pair)), "write two tokens with a space between");
  }
  add(pair.substr(0, space), pair.substr(space + 1));
}

}  // namespace qassay
