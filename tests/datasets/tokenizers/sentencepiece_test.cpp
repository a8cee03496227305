#include "datasets/tokenizers/sentencepiece.hpp"

#include <gmock/gmock.h>
#include <sentencepiece_trainer.h>

#include "tests/datasets/faults.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class Sentences : public sentencepiece::SentenceIterator {
 public:
  bool done() const override { return at_ == sentences_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return sentences_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> sentences_{"the quick brown fox jumps over the lazy dog",
                                      "the dog and the fox", "a quick brown dog"};
  std::size_t at_ = 0;
};

/// As Llama 2 has it: byte-pair encoding, text as it is, bytes where no piece is known.
const std::string& llama_model() {
  static const std::string kModel = [] {
    Sentences sentences;
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(
        "--model_type=bpe --vocab_size=320 --byte_fallback=true "
        "--normalization_rule_name=identity --remove_extra_whitespaces=false --minloglevel=2",
        &sentences, &model);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return model;
  }();
  return kModel;
}

TEST(SentencePieceTest, GivesTextBack) {
  const auto tokenizer = parse_sentencepiece(llama_model(), "tokenizer.model");
  EXPECT_EQ(tokenizer->name(), "sentencepiece");
  EXPECT_EQ(tokenizer->vocabulary(), 320);
  EXPECT_EQ(tokenizer->bos(), 1);
  EXPECT_EQ(tokenizer->eos(), 2);
  EXPECT_EQ(tokenizer->hash().size(), 64U);
  EXPECT_LT(tokenizer->encode("the quick dog").size(), 8U);
  std::mt19937 random(11);
  for (int i = 0; i < 200; ++i) {
    const std::string text = "x" + random_text(random, 40);
    const auto ids = tokenizer->encode(text);
    EXPECT_THAT(ids, Each(testing::AllOf(testing::Ge(3), testing::Lt(320))));
    ASSERT_EQ(tokenizer->decode(ids), text);
  }
}

TEST(SentencePieceTest, SpecialTokensAreNotLookedForInText) {
  const auto tokenizer = parse_sentencepiece(llama_model(), "tokenizer.model");
  EXPECT_THAT(tokenizer->encode("<s>the</s>"), Not(testing::Contains(testing::Le(2))));
  EXPECT_THAT(fault_of([&] { tokenizer->encode("a\xFF"); }), HasSubstr("not UTF-8 at byte 1"));
}

TEST(SentencePieceTest, RefusesDamagedModels) {
  EXPECT_THAT(fault_of([] { parse_sentencepiece("no model", "tokenizer.model"); }),
              HasSubstr("tokenizer.model: cannot be read by SentencePiece ("));
  EXPECT_THROW(parse_sentencepiece("", "tokenizer.model"), InputError);
  EXPECT_THROW(parse_sentencepiece(llama_model().substr(0, 1000), "tokenizer.model"), InputError);
}

}  // namespace
}  // namespace qassay
