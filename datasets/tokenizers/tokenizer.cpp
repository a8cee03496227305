#include "datasets/tokenizers/tokenizer.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json_object.hpp"
#include "datasets/tokenizers/gpt2_files.hpp"
#include "datasets/tokenizers/sentencepiece.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"
#include "datasets/tokenizers/utf8.hpp"

namespace qassay {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{1} << 30;
// The largest that are in use have some 35 MB.
constexpr std::size_t kLongestTokenizer = std::size_t{128} << 20;
constexpr std::size_t kLongestTokenizerConfig = std::size_t{16} << 20;

class ByteTokenizer final : public Tokenizer {
 public:
  ByteTokenizer()
      : Tokenizer({.name = "bytes",
                   .vocabulary = 256,
                   .bos = std::nullopt,
                   .eos = std::nullopt,
                   .hash = sha256("bytes")}) {}

 private:
  std::vector<std::int32_t> ids_of(std::string_view utf8) const override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(utf8.data());
    return {bytes, bytes + utf8.size()};
  }
  std::string text_of(std::span<const std::int32_t> ids) const override {
    return {ids.begin(), ids.end()};
  }
};

std::string_view text_of_file(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

std::vector<std::int32_t> Tokenizer::encode(std::string_view utf8) const {
  if (utf8.size() > kMostTextBytes) {
    throw InputError("the text", fmt::format("has {} bytes, more than 2^30", utf8.size()),
                     "encode it in parts");
  }
  if (const std::size_t valid = valid_utf8(utf8); valid < utf8.size()) {
    throw InputError("the text", fmt::format("is not UTF-8 at byte {}, counted from 0", valid),
                     "convert it to UTF-8");
  }
  return ids_of(utf8);
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= facts_.vocabulary) {
      throw std::invalid_argument(fmt::format("no token has the id {}", id));
    }
  }
  return text_of(ids);
}

std::unique_ptr<Tokenizer> byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

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
