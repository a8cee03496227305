#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/tokenizers/added_words.hpp"
#include "datasets/tokenizers/bpe.hpp"
#include "datasets/tokenizers/split_pattern.hpp"
#include "datasets/tokenizers/tokenizer.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/vocabulary.hpp"

namespace qassay {

/// What a tokenizer of GPT-2's kind is made of, in the order in which a text meets it.
struct ByteLevelBpeParts {
  AddedWords raw_words;      // found in the text as it is
  bool nfc = false;          // whether what is between them is normalized
  AddedWords normal_words;   // found then
  bool space_first = false;  // whether what is between them gets a space where it has none
  std::vector<SplitPattern> patterns;  // each cuts the pieces of the one before
  Bpe bpe;
  std::vector<std::string> tokens;  // bytes, by id; empty where there is no token
};

/// `definition`: a hash of the files that the parts were read from.
std::unique_ptr<Tokenizer> make_byte_level_bpe(std::string_view definition,
                                               const TokenizerConfig& config,
                                               const Vocabulary& vocabulary,
                                               ByteLevelBpeParts parts);

}  // namespace qassay
