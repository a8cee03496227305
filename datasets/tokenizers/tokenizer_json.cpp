#include "datasets/tokenizers/tokenizer_json.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "core/json_object.hpp"
#include "datasets/tokenizers/byte_level_bpe.hpp"
#include "datasets/tokenizers/nfc.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/vocabulary.hpp"

namespace qassay {
namespace {

constexpr int kTokenizerDepth = 16;
constexpr std::size_t kMostPatterns = 16;
constexpr std::size_t kMostWords = 10'000;

[[noreturn]] void refuse_kind(const JsonObject& json, std::string_view kind,
                              std::string_view supported) {
  json.refuse("type", fmt::format("is '{}', which is not supported", excerpt(kind)),
              fmt::format("give a tokenizer with {}", supported));
}

/// Whether the text is normalized to NFC.
bool read_normalizer(const JsonObject& json) {
  const std::string type = json.text("type");
  if (type == "NFC") return true;
  if (type != "Sequence") refuse_kind(json, type, "NFC or no normalizer");
  bool nfc = false;
  for (const JsonObject& part : json.objects("normalizers")) {
    const std::string kind = part.text("type");
    if (kind != "NFC") refuse_kind(part, kind, "NFC or no normalizer");
    nfc = true;
  }
  return nfc;
}

SplitPattern read_split(const JsonObject& json, std::string_view file) {
  json.allow_only({"type", "pattern", "behavior", "invert"});
  const JsonObject pattern = json.object("pattern");
  pattern.allow_only({"Regex"});
  const std::string behavior = json.text("behavior");
  const bool invert = json.flag("invert");
  const bool isolated = behavior == "Isolated";
  if (!isolated && !(behavior == "Removed" && invert)) {
    json.refuse("behavior", fmt::format("is '{}', which is not supported", excerpt(behavior)),
                "use Isolated, or Removed inverted");
  }
  const std::string text = pattern.text("Regex");
  return {text, isolated ? SplitPattern::Gaps::kKeep : SplitPattern::Gaps::kRefuse,
          fmt::format("{}: pre_tokenizer, pattern '{}'", file, excerpt(text))};
}

struct PreTokenizer {
  bool space_first = false;
  std::vector<SplitPattern> patterns;
};

PreTokenizer read_pre_tokenizer(const JsonObject& json, std::string_view file) {
  constexpr std::string_view kSupported = "ByteLevel, or Splits and then ByteLevel";
  const bool sequence = json.text("type") == "Sequence";
  std::vector<JsonObject> parts =
      sequence ? json.objects("pretokenizers") : std::vector<JsonObject>{json};
  if (parts.empty() || parts.size() > kMostPatterns) {
    json.refuse("pretokenizers", fmt::format("has {} parts", parts.size()),
                fmt::format("write 1 to {}", kMostPatterns));
  }
  PreTokenizer result;
  const JsonObject last = parts.back();
  parts.pop_back();
  for (const JsonObject& part : parts) {
    const std::string type = part.text("type");
    if (type != "Split") refuse_kind(part, type, kSupported);
    result.patterns.push_back(read_split(part, file));
  }
  const std::string type = last.text("type");
  if (type != "ByteLevel") refuse_kind(last, type, kSupported);
  last.allow_only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  result.space_first = last.flag("add_prefix_space");
  if (result.space_first && !result.patterns.empty()) {
    last.refuse("add_prefix_space", "is true after a Split", "write false");
  }
  if (!last.has("use_regex") || last.flag("use_regex")) {
    result.patterns.emplace_back(kGpt2Pattern, SplitPattern::Gaps::kKeep, "GPT-2's pattern");
  }
  return result;
}

/// Refuses what a model could have and this reader has not.
void check_model(const JsonObject& model) {
  if (model.has("type")) {  // old files have none
    const std::string type = model.text("type");
    if (type != "BPE") refuse_kind(model, type, "BPE");
  }
  model.allow_only({"type", "dropout", "unk_token", "continuing_subword_prefix",
                    "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                    "merges"});
  if (model.given("dropout")) model.number("dropout", 0, 0);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.given(key) && !model.text(key).empty()) {
      model.refuse(key, "is set, which is not supported", "give a byte-level tokenizer");
    }
  }
  if (model.has("byte_fallback") && model.flag("byte_fallback")) {
    model.refuse(
        "byte_fallback", "is true, which is not supported",
        "give a byte-level tokenizer, or the tokenizer.model that this was converted from");
  }
}

void read_merges(const JsonObject& model, const nlohmann::json& json, MergeList& merges) {
  constexpr std::string_view kMend = "write \"a b\" or [\"a\", \"b\"] for each";
  if (!json.contains("merges") || !json.at("merges").is_array()) {
    model.refuse("merges", "is not a list", kMend);
  }
  for (const nlohmann::json& merge : json.at("merges")) {
    if (merge.is_string()) {
      merges.add(merge.get_ref<const std::string&>());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      merges.add(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>());
    } else {
      model.refuse("merges", "has one that is not of two tokens", kMend);
    }
  }
}

struct Words {
  AddedWords raw;
  AddedWords normal;
};

/// One that is not special: text that has it gets its id.
void add_word(const JsonObject& json, std::int32_t id, bool nfc_text, Words& words) {
  for (const char* key : {"single_word", "lstrip", "rstrip"}) {
    if (json.has(key) && json.flag(key)) {
      json.refuse(key, "is true, which is not supported", "write false");
    }
  }
  const bool normalized = !json.has("normalized") || json.flag("normalized");
  std::string word = json.text("content");
  if (normalized && nfc_text) word = nfc(word);
  if (word.size() > AddedWords::kLongest) {
    json.refuse("content", fmt::format("has {} bytes", word.size()),
                fmt::format("write up to {}", AddedWords::kLongest));
  }
  (normalized ? words.normal : words.raw).add(word, id);
}

Words read_added_tokens(const JsonObject& root, bool nfc_text, Vocabulary& vocabulary) {
  Words words;
  std::size_t count = 0;
  for (const JsonObject& json : root.objects("added_tokens")) {
    json.allow_only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    vocabulary.add_word(json);
    if (json.has("special") && json.flag("special")) continue;
    if (++count > kMostWords) {
      root.refuse("added_tokens", fmt::format("has more than {} that are not special", kMostWords),
                  "check that it is the right file");
    }
    add_word(json, *vocabulary.find(json.text("content")), nfc_text, words);
  }
  return words;
}

}  // namespace

TokenizerJson::TokenizerJson(std::string_view json, std::string_view folder)
    : folder_(folder),
      file_(fmt::format("{}/{}", folder, kTokenizerFile)),
      json_(parse_json(json, file_, kTokenizerDepth)),
      hash_(sha256(json)) {
  const JsonObject root(json_, file_);
  root.allow_only({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  root.object("model");
}

bool TokenizerJson::from_sentencepiece() const {
  const JsonObject model = JsonObject(json_, file_).object("model");
  return (model.has("type") && model.text("type") == "Unigram") ||
         (model.has("byte_fallback") && model.flag("byte_fallback"));
}

std::unique_ptr<Tokenizer> TokenizerJson::tokenizer(
    const std::optional<std::string>& config_json) const {
  const JsonObject root(json_, file_);
  const JsonObject model = root.object("model");
  check_model(model);
  const bool nfc_text = root.given("normalizer") && read_normalizer(root.object("normalizer"));
  PreTokenizer pre_tokenizer = read_pre_tokenizer(root.object("pre_tokenizer"), file_);
  if (const JsonObject decoder = root.object("decoder"); decoder.text("type") != "ByteLevel") {
    refuse_kind(decoder, decoder.text("type"), "ByteLevel");
  }
  Vocabulary vocabulary(file_);
  vocabulary.add_letters(model.object("vocab"));
  MergeList merges(vocabulary, file_);
  read_merges(model, json_.at("model"), merges);
  const bool whole = model.has("ignore_merges") && model.flag("ignore_merges");
  Bpe bpe(vocabulary.bytes(), merges.merges(), whole ? vocabulary.ids_of_bytes() : IdOfText());
  Words words;
  if (root.has("added_tokens")) words = read_added_tokens(root, nfc_text, vocabulary);

  const TokenizerConfig config(config_json, folder_);
  ByteLevelBpeParts parts{.raw_words = std::move(words.raw),
                          .nfc = nfc_text,
                          .normal_words = std::move(words.normal),
                          .space_first = pre_tokenizer.space_first,
                          .patterns = std::move(pre_tokenizer.patterns),
                          .bpe = std::move(bpe),
                          .tokens = vocabulary.tokens()};
  return make_byte_level_bpe(hash_, config, vocabulary, std::move(parts));
}

}  // namespace qassay
