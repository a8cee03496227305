#pragma once

#include <memory>
#include <string_view>

#include "datasets/tokenizers/tokenizer.hpp"

namespace qassay {

inline constexpr const char* kSentencePieceFile = "tokenizer.model";

/// A SentencePiece model, by Google's library: the most likely ids, with the beginning and the end
/// of the model itself. Faults that the library finds are InputErrors; it does not guard against
/// files that were made to break it.
std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view model, std::string_view file);

}  // namespace qassay
