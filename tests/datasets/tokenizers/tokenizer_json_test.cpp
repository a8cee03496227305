#include "datasets/tokenizers/tokenizer_json.hpp"

#include <gmock/gmock.h>

#include "core/hash.hpp"
#include "datasets/tokenizers/nfc.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string fault_of_file(const Json& file,
                          const std::optional<std::string>& config = std::nullopt) {
  return fault_of([&] { tokenizer_of(file, config); });
}

const Json& words() {
  static const Json kFile =
      small_tokenizer({{"h", "e"}, {"t", "he"}, {" ", "the"}, {"\xC3", "\xA9"}, {"4", "2"}});
  return kFile;
}

TEST(TokenizerJsonTest, EncodesByMerges) {
  const auto tokenizer = tokenizer_of(words());
  EXPECT_EQ(tokenizer->name(), "byte-level-bpe");
  EXPECT_EQ(tokenizer->vocabulary(), 261);
  EXPECT_THAT(tokenizer->encode("the the  42é"), ElementsAre(257, 258, ' ', ' ', 260, 259));
  EXPECT_THAT(tokenizer->encode(""), ElementsAre());
  EXPECT_EQ(tokenizer->decode(std::vector{258, 0xC3}), " the\xC3");  // half a character
}

TEST(TokenizerJsonTest, ReadsMergesAsPairsToo) {
  auto file = words();
  for (Json& merge : file["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  EXPECT_THAT(tokenizer_of(file)->encode("the the"), ElementsAre(257, 258));
}

TEST(TokenizerJsonTest, GivesEveryTextBack) {
  std::mt19937 random(3);
  auto nfc_file = words();
  nfc_file["normalizer"] = {{"type", "NFC"}};
  auto llama = words();
  llama["pre_tokenizer"] = split_by(kLlamaPattern);
  llama["model"]["ignore_merges"] = true;
  const auto plain = tokenizer_of(words());
  const auto normal = tokenizer_of(nfc_file);
  const auto split = tokenizer_of(llama);
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text(random, 60);
    ASSERT_EQ(plain->decode(plain->encode(text)), text);
    ASSERT_EQ(split->decode(split->encode(text)), text);
    ASSERT_EQ(normal->decode(normal->encode(text)), nfc(text));
  }
}

TEST(TokenizerJsonTest, NormalizesWhereTheFileSaysSo) {
  auto file = words();
  EXPECT_THAT(tokenizer_of(file)->encode("e\u0301"), ElementsAre('e', 0xCC, 0x81));
  file["normalizer"] = {{"type", "NFC"}};
  EXPECT_THAT(tokenizer_of(file)->encode("e\u0301"), ElementsAre(259));
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}}}};
  EXPECT_THAT(tokenizer_of(file)->encode("e\u0301"), ElementsAre(259));
  file["normalizer"]["normalizers"] = Json::array();
  EXPECT_THAT(tokenizer_of(file)->encode("e\u0301"), ElementsAre('e', 0xCC, 0x81));
}

TEST(TokenizerJsonTest, PutsASpaceFirstWhereTheFileSaysSo) {
  auto file = words();
  file["pre_tokenizer"]["add_prefix_space"] = true;
  const auto tokenizer = tokenizer_of(file);
  EXPECT_THAT(tokenizer->encode("the"), ElementsAre(258));
  EXPECT_THAT(tokenizer->encode(" the"), ElementsAre(258));
  EXPECT_THAT(tokenizer->encode(""), ElementsAre());
}

TEST(TokenizerJsonTest, WithoutPatternTheTextIsOnePiece) {
  auto file = small_tokenizer({{"a", " "}});
  EXPECT_THAT(tokenizer_of(file)->encode("a b"), ElementsAre('a', ' ', 'b'));
  file["pre_tokenizer"]["use_regex"] = false;
  EXPECT_THAT(tokenizer_of(file)->encode("a b"), ElementsAre(256, 'b'));
}

TEST(TokenizerJsonTest, TokensComeBeforeMergesWhereTheFileSaysSo) {
  auto file = small_tokenizer({{"a", "b"}, {"b", "c"}, {"a", "bc"}});
  EXPECT_THAT(tokenizer_of(file)->encode("abc"), ElementsAre(256, 'c'));
  file["model"]["ignore_merges"] = true;
  EXPECT_THAT(tokenizer_of(file)->encode("abc"), ElementsAre(258));
}

TEST(TokenizerJsonTest, SpecialTokensHaveIdsAndAreNotLookedForInText) {
  auto file = words();
  file["added_tokens"] = {added_token("<s>", 261, true), added_token("</s>", 263, true)};
  const auto tokenizer = tokenizer_of(file);
  EXPECT_EQ(tokenizer->vocabulary(), 264);
  EXPECT_EQ(tokenizer->bos(), 261);
  EXPECT_EQ(tokenizer->eos(), 263);
  EXPECT_THAT(tokenizer->encode("<s>"), ElementsAre('<', 's', '>'));
  EXPECT_EQ(tokenizer->decode(std::vector{261, 257, 263}), "<s>the</s>");
  EXPECT_THROW(tokenizer->decode(std::vector{262}), std::invalid_argument);
}

TEST(TokenizerJsonTest, AddedTokensThatAreNotSpecialAreWordsOfTheText) {
  auto file = words();
  file["normalizer"] = {{"type", "NFC"}};
  file["added_tokens"] = {added_token("THE", 261, false), added_token("e\u0301", 262, false),
                          added_token("a\u030A", 263, false)};
  file["added_tokens"][2]["normalized"] = false;  // looked for before the text is normalized
  EXPECT_THAT(tokenizer_of(file)->encode(" THEé\u00E5a\u030A"),
              ElementsAre(' ', 261, 262, 0xC3, 0xA5, 263));
}

TEST(TokenizerJsonTest, TheConfigurationNamesBeginningAndEnd) {
  auto file = words();
  file["added_tokens"] = {added_token("<s>", 261, true), added_token("<x>", 262, true)};
  const auto with = [&](const char* config) { return tokenizer_of(file, config); };
  EXPECT_EQ(with("{}")->bos(), 261);
  EXPECT_EQ(with(R"({"bos_token": "<x>"})")->bos(), 262);
  EXPECT_EQ(with(R"({"bos_token": {"content": "<x>", "lstrip": false}})")->bos(), 262);
  EXPECT_EQ(with(R"({"bos_token": null, "eos_token": "<x>"})")->bos(), std::nullopt);
  EXPECT_EQ(with(R"({"eos_token": "<x>"})")->eos(), 262);
  EXPECT_EQ(
      fault_of_file(file, R"({"bos_token": "<y>"})"),
      "folder/tokenizer_config.json: bos_token: is '<y>', which is not in the vocabulary; name "
      "a token of it, or write null");
  EXPECT_THAT(fault_of_file(file, R"({"eos_token": 3})"),
              HasSubstr("eos_token: has the wrong type"));
  EXPECT_THAT(fault_of_file(file, "[]"), HasSubstr("tokenizer_config.json: is not a JSON object"));
}

TEST(TokenizerJsonTest, TheHashIsOfTheFileAndTheEnds) {
  auto file = words();
  file["added_tokens"] = {added_token("<s>", 261, true)};
  const std::string hash = tokenizer_of(file)->hash();
  EXPECT_EQ(tokenizer_of(file)->hash(), hash);
  EXPECT_NE(tokenizer_of(file, R"({"bos_token": null})")->hash(), hash);
  EXPECT_NE(tokenizer_of(words())->hash(), hash);
}

struct Change {
  const char* where;  // a JSON pointer
  Json value;
  const char* fault;
};

TEST(TokenizerJsonTest, RefusesByNameWhatItHasNot) {
  for (const Change& change : std::vector<Change>{
           {"/model/type", "Unigram", "model, type: is 'Unigram', which is not supported"},
           {"/model/dropout", 0.1, "model, dropout: is out of range"},
           {"/model/continuing_subword_prefix", "##", "continuing_subword_prefix: is set"},
           {"/model/end_of_word_suffix", "</w>", "end_of_word_suffix: is set"},
           {"/model/byte_fallback", true, "byte_fallback: is true"},
           {"/model/novelty", 1, "model, novelty: is not a known key"},
           {"/novelty", 1, "novelty: is not a known key"},
           {"/normalizer", {{"type", "NFKC"}}, "normalizer, type: is 'NFKC'"},
           {"/normalizer",
            {{"type", "Sequence"}, {"normalizers", {{{"type", "Lowercase"}}}}},
            "normalizer, normalizers 1, type: is 'Lowercase'"},
           {"/pre_tokenizer/type", "Whitespace", "pre_tokenizer, type: is 'Whitespace'"},
           {"/pre_tokenizer", nullptr, "pre_tokenizer: is not a JSON object"},
           {"/pre_tokenizer",
            {{"type", "Sequence"}, {"pretokenizers", Json::array()}},
            "pretokenizers: has 0 parts"},
           {"/pre_tokenizer",
            {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Digits"}}, byte_level()}}},
            "pretokenizers 1, type: is 'Digits'"},
           {"/decoder/type", "Metaspace", "decoder, type: is 'Metaspace'"},
       }) {
    auto file = words();
    file[Json::json_pointer(change.where)] = change.value;
    EXPECT_THAT(fault_of_file(file), HasSubstr(change.fault)) << change.where;
  }
  for (const Change& change :
       std::vector<Change>{{"/behavior", "MergedWithNext", "behavior: is 'MergedWithNext'"},
                           {"/behavior", "Removed", "behavior: is 'Removed'"},
                           {"/pattern", {{"String", " "}}, "pattern, String: is not a known key"},
                           {"/pattern/Regex", "(", "pattern '(': is no regular expression"}}) {
    auto file = words();
    file["pre_tokenizer"] = split_by("a");
    file["pre_tokenizer"]["pretokenizers"][0][Json::json_pointer(change.where)] = change.value;
    EXPECT_THAT(fault_of_file(file), HasSubstr(change.fault)) << change.where;
  }
  auto file = words();
  file["pre_tokenizer"] = split_by("a");
  file["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true;
  EXPECT_THAT(fault_of_file(file), HasSubstr("add_prefix_space: is true after a Split"));
}

TEST(TokenizerJsonTest, RefusesVocabulariesThatAreNone) {
  for (const Change& change : std::vector<Change>{
           {"/model/vocab/x y", 261, ""},  // is never made from text, and harmless
           {"/model/vocab/new", 5, "the id 5, which another token has"},
           {"/model/vocab/new", -1, "model, vocab, new: is not a whole number in range"},
           {"/model/vocab/new", 1 << 24, "write one from 0 to 16777215"},
           {"/model/vocab/new", (1 << 24) - 1, "has ids up to 16777215 for 262 tokens"},
           {"/model/vocab/new", "7", "model, vocab, new: is not a whole number"},
           {"/model/vocab/", 261, "model, vocab: has a token of no text"},
           {"/model/vocab", Json::object(), "merge 1: names 'h', which is not in the vocabulary"},
           {"/model/merges", "a b", "merges: is not a list"},
           {"/model/merges/0", 3, "merges: has one that is not of two tokens"},
           {"/model/merges/0", {"a", "b", "c"}, "merges: has one that is not of two tokens"},
           {"/model/merges/1", "h e", "merge 2: is of 'h' and 'e', as an earlier one"},
           {"/model/merges/1", "he", "merge 2: is 'he'; write two tokens"},
           {"/model/merges/1", {"q", "q"}, "merge 2: names 'qq', which is not in the vocabulary"},
           {"/added_tokens", {added_token("the", 262, true)}, "gives 'the' the ids 257 and 262"},
           {"/added_tokens",
            {added_token("new", 257, true)},
            "the id 257, which another token has"},
           {"/added_tokens", {added_token("", 262, true)}, "added_tokens 1, content: is empty"},
           {"/added_tokens", {added_token("\u0120the", 258, true)}, "as letters for other bytes"},
           {"/added_tokens",
            {added_token(std::string(257, 'x'), 262, false)},
            "added_tokens 1, content: has 257 bytes"}}) {
    auto file = words();
    file[Json::json_pointer(change.where)] = change.value;
    if (*change.fault == '\0') {
      EXPECT_NO_THROW(tokenizer_of(file)) << change.where;
    } else {
      EXPECT_THAT(fault_of_file(file), HasSubstr(change.fault)) << change.where << change.value;
    }
  }
  auto file = words();
  file["added_tokens"] = {added_token("x", 'x', false)};
  file["added_tokens"][0]["rstrip"] = true;
  EXPECT_THAT(fault_of_file(file),
              HasSubstr("added_tokens 1, rstrip: is true, which is not supported"));
}

TEST(TokenizerJsonTest, NeedsATokenForEveryByteOfUtf8) {
  auto file = words();
  for (const int byte : {0xC0, 0xC1, 0xF5, 0xFF}) {
    file["model"]["vocab"].erase(letters_of_bytes(std::string(1, static_cast<char>(byte))));
  }
  EXPECT_NO_THROW(tokenizer_of(file));
  file["model"]["vocab"].erase(letters_of_bytes("\xF4"));
  EXPECT_THAT(fault_of_file(file), HasSubstr("has no token for the byte F4"));
}

TEST(TokenizerJsonTest, RefusesWhatIsNoJson) {
  const auto read = [](const std::string& text) {
    return fault_of([&] { TokenizerJson(text, "folder"); });
  };
  EXPECT_THAT(read("{"), HasSubstr("folder/tokenizer.json: is not JSON"));
  EXPECT_THAT(read("[]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(read("{}"), HasSubstr("'model' is missing"));
  EXPECT_THAT(read(std::string(50, '[')), HasSubstr("nests deeper"));
}

TEST(ByteLettersTest, AreThoseOfGpt2) {
  EXPECT_EQ(letters_of_bytes(" \n!\xC3\x7F"), "\u0120\u010A!\u00C3\u0121");
  std::string all(256, '\0');
  for (int i = 0; i < 256; ++i) all[i] = static_cast<char>(i);
  EXPECT_EQ(bytes_of_letters(letters_of_bytes(all)), all);
  for (const char* text : {" ", "a b", "\u0144", "你", "\xC3"}) {
    EXPECT_EQ(bytes_of_letters(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace qassay
