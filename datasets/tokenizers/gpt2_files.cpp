#include "datasets/tokenizers/gpt2_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/json_object.hpp"
#include "datasets/tokenizers/byte_level_bpe.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"
#include "datasets/tokenizers/vocabulary.hpp"
#include "datasets/utf8.hpp"

namespace qassay {
namespace {

void read_merge_lines(std::string_view text, const std::string& file, MergeList& merges) {
  if (const auto odd = first_not_utf8(text)) {
    throw InputError(file, fmt::format("is not UTF-8 at byte {}, counted from 0", *odd),
                     "check that it is the right file");
  }
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool version = std::exchange(first, false) && line.starts_with("#version");
    if (!version && !line.empty()) merges.add(line);
  }
}

}  // namespace

std::unique_ptr<Tokenizer> parse_gpt2_files(std::string_view vocabulary_json,
                                            std::string_view merges_text,
                                            const std::optional<std::string>& config_json,
                                            std::string_view folder) {
  const TokenizerConfig config(config_json, folder);
  const std::string kind = config.tokenizer_class().value_or("GPT2Tokenizer");
  if (kind != "GPT2Tokenizer" && kind != "GPT2TokenizerFast") {
    throw InputError(fmt::format("{}/{}", folder, kTokenizerConfigFile),
                     fmt::format("says that this is a {}", excerpt(kind)),
                     fmt::format("give its {} too", kTokenizerFile));
  }
  const std::string file = fmt::format("{}/{}", folder, kVocabularyFile);
  Vocabulary vocabulary(file);
  const nlohmann::json json = parse_json(vocabulary_json, file, 1);
  vocabulary.add_letters(JsonObject(json, file));
  const std::string merges_file = fmt::format("{}/{}", folder, kMergesFile);
  MergeList merges(vocabulary, merges_file);
  read_merge_lines(merges_text, merges_file, merges);

  ByteLevelBpeParts parts{.raw_words = {},
                          .nfc = false,
                          .normal_words = {},
                          .space_first = config.add_prefix_space(),
                          .patterns = {},
                          .bpe = Bpe(vocabulary.bytes(), merges.merges(), {}),
                          .tokens = vocabulary.tokens()};
  parts.patterns.emplace_back(kGpt2Pattern, SplitPattern::Gaps::kKeep, "GPT-2's pattern");
  return make_byte_level_bpe(sha256(vocabulary_json) + sha256(merges_text), config, vocabulary,
                             std::move(parts));
}

}  // namespace qassay
