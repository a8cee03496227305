#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/tokenizers/tokenizer.hpp"

namespace qassay {

inline constexpr const char* kVocabularyFile = "vocab.json";
inline constexpr const char* kMergesFile = "merges.txt";

/// The two files of GPT-2's tokenizer: an object of ids by token, and a merge a line in the order
/// of rank after a line "#version: ...". `config`: the folder's tokenizer_config.json, if it has
/// one; one that names the class of another tokenizer is refused, for these files do not say how
/// text is split. The files are not trusted: every fault is an InputError.
std::unique_ptr<Tokenizer> parse_gpt2_files(std::string_view vocabulary, std::string_view merges,
                                            const std::optional<std::string>& config,
                                            std::string_view folder);

}  // namespace qassay
