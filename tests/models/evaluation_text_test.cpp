#include "models/evaluation_text.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class EvaluationTextTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
    return (folder_.path() / name).string();
  }
  /// A folder with a tokenizer that joins "ab" (256) and "abab" (257), and begins texts with 258.
  TextModel model_with_tokenizer() const {
    nlohmann::json json = small_tokenizer({{"a", "b"}, {"ab", "ab"}});
    json["added_tokens"].push_back(added_token("<s>", 258, true));
    write("tokenizer.json", json.dump());
    write("tokenizer_config.json", R"({"bos_token": "<s>"})");
    return {folder_.path().string(), "", 259};
  }

  const TextModel bytes_{"model", "", 256};
  TemporaryFolder folder_;
};

TEST_F(EvaluationTextTest, BytesAreTokensWhereTheVocabularyIs256) {
  const std::string file = write("a text.txt", "abcdefghij");
  const EvaluationText text = evaluation_text(bytes_, {.text = file, .tokens = {}}, 4, 0);
  EXPECT_EQ(text.protocol.text, "a text.txt");
  EXPECT_EQ(text.protocol.stride, 4);
  EXPECT_EQ(text.protocol.join, Join::none);
  EXPECT_EQ(text.protocol.tokens_hash, hash_tokens(text.tokens));
  EXPECT_THAT(text.windows, ElementsAre(TextWindow{0, 4, 1, false}, TextWindow{4, 4, 1, false}));
  EXPECT_EQ(text.tokens.size(), 8U);  // those of the windows alone
  EXPECT_THAT(text.ids(text.windows[1]), ElementsAre('e', 'f', 'g', 'h'));
  EXPECT_THAT(text.bytes, ElementsAre(3, 3));
}

TEST_F(EvaluationTextTest, TheFirstWindowsCanBeChosen) {
  const std::string file = write("t", "abcdefghij");
  const EvaluationText all =
      evaluation_text(bytes_, {.text = file, .tokens = {}, .stride = 2}, 4, 0);
  const EvaluationText two =
      evaluation_text(bytes_, {.text = file, .tokens = {}, .stride = 2}, 4, 2);
  EXPECT_EQ(all.windows.size(), 4U);
  EXPECT_EQ(two.windows.size(), 2U);
  EXPECT_EQ(two.tokens.size(), 6U);
  EXPECT_NE(two.protocol.tokens_hash, all.protocol.tokens_hash);
}

TEST_F(EvaluationTextTest, AFoldersTokenizerIsUsedAndItsTokensCountTheirBytes) {
  const TextModel model = model_with_tokenizer();
  const std::string file = write("t", "ababcabababé");
  const EvaluationText text = evaluation_text(
      model, {.text = file, .tokens = {}, .stride = 0, .bos = Bos::every_window}, 4, 0);
  EXPECT_EQ(text.bos, 258);
  // abab c abab | ab, and the two bytes of é
  EXPECT_THAT(text.tokens, ElementsAre(257, 'c', 257, 256, 0xC3, 0xA9));
  ASSERT_EQ(text.windows.size(), 2U);
  EXPECT_THAT(text.ids(text.windows[0]), ElementsAre(258, 257, 'c', 257));
  EXPECT_THAT(text.ids(text.windows[1]), ElementsAre(258, 256, 0xC3, 0xA9));
  EXPECT_THAT(text.bytes, ElementsAre(9, 4));
}

TEST_F(EvaluationTextTest, TokensComeFromAFileToo) {
  const std::string file = write("ids", "1 2 3\n4 5 6");
  const EvaluationText text = evaluation_text(bytes_, {.text = {}, .tokens = file}, 3, 0);
  EXPECT_THAT(text.tokens, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(text.bytes.empty());
}

TEST_F(EvaluationTextTest, RefusesWhatDoesNotFit) {
  const auto fault = [&](const TextModel& model, const TextChoice& choice) {
    return fault_of([&] { evaluation_text(model, choice, 4, 0); });
  };
  const std::string file = write("t", "abcdef");
  EXPECT_THAT(fault(bytes_, {.text = write("short", "abc"), .tokens = {}}),
              HasSubstr("has 3 tokens"));
  EXPECT_THAT(fault(bytes_, {.text = write("latin1", "abc\xE9xyz"), .tokens = {}}),
              HasSubstr("not UTF-8 at byte 3"));
  EXPECT_THAT(fault(bytes_, {.text = write("empty", ""), .tokens = {}}), HasSubstr("is empty"));
  EXPECT_THAT(fault(bytes_, {.text = file, .tokens = {}, .stride = 5}),
              HasSubstr("is 5 with a context of 4"));
  EXPECT_THAT(fault(bytes_, {.text = file, .tokens = {}, .stride = 0, .bos = Bos::first_window}),
              HasSubstr("has no begin-of-text token"));
  EXPECT_THAT(fault({"gpt", "", 50257}, {.text = file, .tokens = {}}),
              HasSubstr("has no tokenizer"));
  EXPECT_THAT(fault(bytes_, {.text = {}, .tokens = write("ids", "1 2 3 256")}),
              AllOf(HasSubstr("ids"), HasSubstr("token 256"), HasSubstr("embedding has 256")));
  TextModel model = model_with_tokenizer();
  model.vocabulary = 257;
  EXPECT_THAT(fault(model, {.text = write("t", "abababababababab"), .tokens = {}}),
              AllOf(HasSubstr("token 257"), HasSubstr("embedding has 257")));
}

TEST_F(EvaluationTextTest, SaysWhatIsMissingWithoutReading) {
  EXPECT_EQ(evaluation_text_missing(bytes_, {})->reason, "it names no text to be evaluated on");
  EXPECT_FALSE(evaluation_text_missing(bytes_, {.text = "any file", .tokens = {}}));
  EXPECT_FALSE(evaluation_text_missing(bytes_, {.text = {}, .tokens = "any file"}));
}

}  // namespace
}  // namespace qassay
