#include "datasets/tokenizers/tokenizer.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "datasets/tokenizers/nfc.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void write_text(const std::filesystem::path& path, const std::string& text) {
  ASSERT_TRUE(std::ofstream(path, std::ios::binary) << text) << path;
}

TEST(ByteTokenizerTest, IdsAreTheBytes) {
  const auto tokenizer = byte_tokenizer();
  EXPECT_EQ(tokenizer->name(), "bytes");
  EXPECT_EQ(tokenizer->vocabulary(), 256);
  EXPECT_FALSE(tokenizer->bos().has_value());
  EXPECT_FALSE(tokenizer->eos().has_value());
  EXPECT_EQ(tokenizer->hash().size(), 64U);
  EXPECT_THAT(tokenizer->encode("aé"), ElementsAre('a', 0xC3, 0xA9));
  EXPECT_THAT(tokenizer->encode(""), IsEmpty());
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    const std::string text = random_text(random, 50);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

TEST(TokenizerTest, RefusesTextThatIsNotUtf8WithTheOffset) {
  const auto tokenizer = byte_tokenizer();
  const auto fault = [&](const std::string& text) {
    return fault_of([&] { tokenizer->encode(text); });
  };
  EXPECT_EQ(fault("ab\xFFz"),
            "the text: is not UTF-8 at byte 2, counted from 0; convert it to UTF-8");
  EXPECT_THAT(fault("\xE4\xBD"), HasSubstr("at byte 0"));
  EXPECT_THAT(fault("é\xC3"), HasSubstr("at byte 2"));
}

TEST(TokenizerTest, RefusesIdsWithoutToken) {
  const auto tokenizer = byte_tokenizer();
  for (const std::int32_t id : {-1, 256}) {
    EXPECT_THROW(tokenizer->decode(std::vector{id}), std::invalid_argument);
  }
}

TEST(NfcTest, ComposesAsUnicodeSays) {
  EXPECT_EQ(nfc("e\u0301 A\u030A \u212B"), "é Å Å");
  EXPECT_EQ(nfc("ﬁ ½"), "ﬁ ½");  // compatibility characters stay
  EXPECT_EQ(nfc("\u1112\u1161\u11AB"), "한");
  EXPECT_EQ(nfc(""), "");
}

class LoadTokenizerTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const char* name) const { return folder_.path() / name; }
  std::unique_ptr<Tokenizer> load() const { return load_tokenizer(folder_.path()); }
  std::string fault() const {
    return fault_of([&] { load(); });
  }

  TemporaryFolder folder_;
};

TEST_F(LoadTokenizerTest, RefusesAFolderWithoutOne) {
  EXPECT_THAT(fault(), HasSubstr("has no tokenizer; give a folder with tokenizer.json"));
}

TEST_F(LoadTokenizerTest, ReadsTokenizerJsonBeforeOthers) {
  write_text(file("tokenizer.json"), small_tokenizer({{"a", "b"}}).dump());
  write_text(file("tokenizer.model"), "no model");
  write_text(file("vocab.json"), "{}");
  EXPECT_THAT(load()->encode("ab"), ElementsAre(256));
}

TEST_F(LoadTokenizerTest, TakesSentencePieceOverWhatWasConvertedFromIt) {
  auto converted = small_tokenizer({});
  converted["model"]["byte_fallback"] = true;
  write_text(file("tokenizer.json"), converted.dump());
  EXPECT_THAT(fault(), HasSubstr("tokenizer.json: model, byte_fallback: is true, which is not"));
  write_text(file("tokenizer.model"), "no model");
  EXPECT_THAT(fault(), HasSubstr("tokenizer.model: cannot be read by SentencePiece"));
}

TEST_F(LoadTokenizerTest, ReadsTheFilesOfGpt2) {
  auto vocab = small_tokenizer({{"a", "b"}, {" ", "ab"}})["model"]["vocab"];
  vocab["<|endoftext|>"] = 258;
  write_text(file("vocab.json"), vocab.dump());
  EXPECT_THAT(fault(), HasSubstr("merges.txt: cannot be read"));
  write_text(file("merges.txt"), "#version: 0.2\na b\n\u0120 ab\n");
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer->name(), "byte-level-bpe");
  EXPECT_EQ(tokenizer->vocabulary(), 259);
  EXPECT_EQ(tokenizer->bos(), 258);
  EXPECT_EQ(tokenizer->eos(), 258);
  EXPECT_THAT(tokenizer->encode("ab ab"), ElementsAre(256, 257));

  write_text(file("tokenizer_config.json"), R"({"bos_token": null, "add_prefix_space": true})");
  EXPECT_EQ(load()->bos(), std::nullopt);
  EXPECT_THAT(load()->encode("ab"), ElementsAre(257));
  EXPECT_NE(load()->hash(), tokenizer->hash());
  write_text(file("tokenizer_config.json"), R"({"tokenizer_class": "Qwen2Tokenizer"})");
  EXPECT_THAT(fault(), HasSubstr("says that this is a Qwen2Tokenizer"));
}

TEST_F(LoadTokenizerTest, RefusesDamagedFilesOfGpt2) {
  const auto vocab = small_tokenizer({{"a", "b"}})["model"]["vocab"];
  write_text(file("vocab.json"), vocab.dump());
  for (const auto& [merges, fault_text] : std::vector<std::pair<std::string, std::string>>{
           {"#version: 0.2\nab\n", "merge 1: is 'ab'; write two tokens"},
           {"a b c\n", "merge 1: is 'a b c'"},
           {"a b\na b\n", "merge 2: is of 'a' and 'b', as an earlier one"},
           {"a b\nb c\n", "merge 2: names 'bc', which is not in the vocabulary"},
           {"a \xFF\n", "is not UTF-8 at byte 2"}}) {
    write_text(file("merges.txt"), merges);
    EXPECT_THAT(fault(), HasSubstr(fault_text));
  }
  write_text(file("merges.txt"), "a b\r\n\r\n");
  EXPECT_THAT(load()->encode("ab"), ElementsAre(256));
  write_text(file("vocab.json"), "[]");
  EXPECT_THAT(fault(), HasSubstr("vocab.json: is not a JSON object"));
}

}  // namespace
}  // namespace qassay
