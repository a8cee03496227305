#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/tokenizers/tokenizer.hpp"

namespace qassay {

inline constexpr const char* kTokenizerFile = "tokenizer.json";

/// The tokenizer.json of Hugging Face's library `tokenizers`, of byte-level BPE (GPT-2, Llama 3,
/// Qwen2). Of what it can hold,
///   * `model` is a "BPE" with a token for each byte that UTF-8 has (so unk_token has no effect),
///   no
///     dropout, and no prefix, suffix or byte_fallback;
///   * `normalizer` is none or NFC;
///   * `pre_tokenizer` is a "ByteLevel", or "Split"s by a regular expression that keep each match,
///     and one "ByteLevel" after them;
///   * `decoder` is "ByteLevel";
///   * `added_tokens` are ids; those that are not special are also looked for in a text;
///   * `post_processor`, `truncation` and `padding` say what is done with the ids of a text, which
///   is
///     the caller's affair, and are passed over.
/// Anything else is refused by name. The file is not trusted: every fault is an InputError.
class TokenizerJson {
 public:
  TokenizerJson(std::string_view json, std::string_view folder);

  /// Whether it was converted from a SentencePiece model.
  bool from_sentencepiece() const;
  /// `config`: the folder's tokenizer_config.json, if it has one.
  std::unique_ptr<Tokenizer> tokenizer(const std::optional<std::string>& config) const;

 private:
  std::string folder_;
  std::string file_;
  nlohmann::json json_;
  std::string hash_;
};

}  // namespace qassay
