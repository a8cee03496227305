#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/json_object.hpp"
#include "datasets/tokenizers/bpe.hpp"

namespace qassay {

/// The tokens of a byte-level BPE, gathered from files that are not trusted: every fault is an
/// InputError that names `file`.
class Vocabulary {
 public:
  explicit Vocabulary(std::string file) : file_(std::move(file)) {}

  /// Tokens written in the letters that stand for bytes: an object of ids by token.
  void add_letters(const JsonObject& ids);
  /// A token that means its own text: an object with `content` and `id`. It may be there already,
  /// with the same id.
  void add_word(const JsonObject& token);

  /// By its text in the file.
  std::optional<std::int32_t> find(std::string_view text) const;
  /// The bytes of each token, by id; empty where there is none. Throws for an id with two tokens,
  /// and where more ids have none than have one.
  std::vector<std::string> tokens() const;
  /// The tokens that are a byte. Throws where one is missing that a text can need; -1 for the 13
  /// bytes that are not in UTF-8.
  std::array<std::int32_t, 256> bytes() const;
  /// The tokens written in letters, by their bytes.
  IdOfText ids_of_bytes() const;

 private:
  struct Entry {
    std::string text;
    std::optional<std::string> bytes;  // nothing: not written in letters
    std::int32_t id;
  };
  [[noreturn]] void refuse(const std::string& fault, std::string_view mend) const;

  std::string file_;
  std::vector<Entry> entries_;
  IdOfText ids_;
};

/// The merges of a byte-level BPE, from a file that is not trusted.
class MergeList {
 public:
  MergeList(const Vocabulary& vocabulary, std::string file)
      : vocabulary_(vocabulary), file_(std::move(file)) {}

  /// The next in rank. Throws InputError where a token or what they make is not in the vocabulary,
  /// or the pair was there before.
  void add(std::string_view left, std::string_view right);
  /// Written as two tokens with a space between.
  void add(std::string_view pair);
  const std::vector<Bpe::Merge>& merges() const { return merges_; }

 private:
  [[noreturn]] void refuse(const std::string& fault, std::string_view mend) const;

  const Vocabulary& vocabulary_;
  std::string file_;
  std::vector<Bpe::Merge> merges_;
  std::unordered_set<std::uint64_t> pairs_;
};

}  // namespace qassay
