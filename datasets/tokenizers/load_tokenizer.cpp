#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/error.hpp"
#include "core/file.hpp"
#include "datasets/tokenizers/gpt2_files.hpp"
#include "datasets/tokenizers/sentencepiece.hpp"
#include "datasets/tokenizers/tokenizer.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"

namespace qassay {
namespace {

// The largest that are in use have some 35 MB.
constexpr std::size_t kLongestTokenizer = std::size_t{128} << 20;
constexpr std::size_t kLongestTokenizerConfig = std::size_t{16} << 20;

std::string_view text_of_file(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

bool has_tokenizer(const std::filesystem::path& folder) {
  return std::ranges::any_of(
      std::array{kTokenizerFile, kSentencePieceFile, kVocabularyFile},
      [&](const auto& name) { return std::filesystem::exists(folder / name); });
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name); };
  std::optional<std::string> config;
  if (has(kTokenizerConfigFile)) {
    config = text_of_file(MappedFile(folder / kTokenizerConfigFile, kLongestTokenizerConfig));
  }
  const auto sentencepiece = [&] {
    const MappedFile file(folder / kSentencePieceFile, kLongestTokenizer);
    return parse_sentencepiece(text_of_file(file), (folder / kSentencePieceFile).string());
  };
  if (has(kTokenizerFile)) {
    const MappedFile file(folder / kTokenizerFile, kLongestTokenizer);
    const TokenizerJson json(text_of_file(file), folder.string());
    if (json.from_sentencepiece() && has(kSentencePieceFile)) return sentencepiece();
    return json.tokenizer(config);
  }
  if (has(kSentencePieceFile)) return sentencepiece();
  if (has(kVocabularyFile)) {
    const MappedFile vocabulary(folder / kVocabularyFile, kLongestTokenizer);
    const MappedFile merges(folder / kMergesFile, kLongestTokenizer);
    return parse_gpt2_files(text_of_file(vocabulary), text_of_file(merges), config,
                            folder.string());
  }
  throw InputError(folder.string(), "has no tokenizer",
                   fmt::format("give a folder with {}, {}, or {} and {}", kTokenizerFile,
                               kSentencePieceFile, kVocabularyFile, kMergesFile));
}

}  // namespace qassay
