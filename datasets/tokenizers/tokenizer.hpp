#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qassay {

/// From text to the numbers that a language model reads, and back. Safe to share between threads.
class Tokenizer {
 public:
  struct Facts {
    std::string name;  // of its kind: "bytes", "byte-level-bpe", "sentencepiece"
    std::int32_t vocabulary = 0;
    std::optional<std::int32_t> bos;
    std::optional<std::int32_t> eos;
    std::string hash;
  };

  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  virtual ~Tokenizer() = default;

  const std::string& name() const { return facts_.name; }
  /// Ids are 0 to vocabulary()-1; a few of them may have no token.
  std::int32_t vocabulary() const { return facts_.vocabulary; }
  /// What stands before and after a document, where the vocabulary has such tokens.
  std::optional<std::int32_t> bos() const { return facts_.bos; }
  std::optional<std::int32_t> eos() const { return facts_.eos; }
  /// SHA-256 of what defines it: equal hashes, equal ids.
  const std::string& hash() const { return facts_.hash; }

  /// The ids of the text, no more: which special tokens a text gets is for the protocol of an
  /// evaluation to say. Text that looks like a special token is text like any other. Throws
  /// InputError for text that is not UTF-8, with the offset of the byte, or has more than 2^30
  /// bytes.
  std::vector<std::int32_t> encode(std::string_view utf8) const;

  /// The text that the ids stand for: that of encode() but for what the tokenizer normalizes. Bytes
  /// of a character that are not all there are returned as they are, or as U+FFFD by SentencePiece.
  /// Throws std::invalid_argument for an id that has no token.
  std::string decode(std::span<const std::int32_t> ids) const;

 protected:
  explicit Tokenizer(Facts facts) : facts_(std::move(facts)) {}

 private:
  /// The text is UTF-8; the ids are 0 to vocabulary()-1.
  virtual std::vector<std::int32_t> ids_of(std::string_view utf8) const = 0;
  virtual std::string text_of(std::span<const std::int32_t> ids) const = 0;

  Facts facts_;
};

/// Ids are the bytes of the text; no special tokens.
std::unique_ptr<Tokenizer> byte_tokenizer();

/// Whether the folder has files that load_tokenizer() would read.
bool has_tokenizer(const std::filesystem::path& folder);

/// That of a Hugging Face model folder: tokenizer.json, else tokenizer.model (SentencePiece), else
/// vocab.json and merges.txt (GPT-2). A tokenizer.json that was converted from SentencePiece gives
/// way to the tokenizer.model beside it. The files are not trusted: throws InputError with file,
/// fault and mend where they are damaged or ask for what is not supported.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

}  // namespace qassay
