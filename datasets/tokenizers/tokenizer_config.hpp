#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/tokenizers/vocabulary.hpp"

namespace qassay {

inline constexpr const char* kTokenizerConfigFile = "tokenizer_config.json";

/// What a folder's tokenizer_config.json says, if it has one. Not trusted: every fault is an
/// InputError that names the file.
class TokenizerConfig {
 public:
  TokenizerConfig(const std::optional<std::string>& json, std::string_view folder);

  /// Those that it names; where it does not mention them, tokens of usual names. Null there means
  /// none.
  std::optional<std::int32_t> bos(const Vocabulary& vocabulary) const;
  std::optional<std::int32_t> eos(const Vocabulary& vocabulary) const;
  /// Nothing where it is not mentioned.
  std::optional<std::string> tokenizer_class() const;
  bool add_prefix_space() const;

 private:
  bool mentions(const char* key) const;
  std::optional<std::int32_t> named(const char* key, const Vocabulary& vocabulary) const;

  std::string file_;
  nlohmann::json json_;
};

}  // namespace qassay
