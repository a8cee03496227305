#include "datasets/tokenizers/split_pattern.hpp"

#include <gmock/gmock.h>

#include "datasets/tokenizers/added_words.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/tokenizers/small_tokenizer.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Gaps = SplitPattern::Gaps;

std::vector<std::string> pieces(std::string_view pattern, std::string_view text,
                                Gaps gaps = Gaps::kKeep) {
  std::vector<std::string> result;
  MatchBudget budget(text.size());
  SplitPattern(pattern, gaps, "file").split(text, budget, [&](std::string_view piece) {
    result.emplace_back(piece);
  });
  return result;
}

std::string fault_of_split(std::string_view pattern, std::string_view text = "",
                           Gaps gaps = Gaps::kKeep) {
  return fault_of([&] { pieces(pattern, text, gaps); });
}

TEST(SplitPatternTest, SplitsAsGpt2) {
  EXPECT_THAT(pieces(kGpt2Pattern, "don't  stop\n\n 42nd, été "),
              ElementsAre("don", "'t", " ", " stop", "\n\n", " 42", "nd", ",", " été", " "));
  EXPECT_THAT(pieces(kGpt2Pattern, ""), IsEmpty());
}

TEST(SplitPatternTest, SplitsAsLlama3) {
  EXPECT_THAT(pieces(kLlamaPattern, "I'LL  go\r\n\r\n 12345?\n x"),
              ElementsAre("I", "'LL", " ", " go", "\r\n\r\n", " ", "123", "45", "?\n", " x"));
}

// PCRE2 alone says otherwise of U+180E.
TEST(SplitPatternTest, WhiteSpaceIsWhatUnicodeSays) {
  EXPECT_THAT(pieces(R"(\s)", "a\u180Eb\u00A0c"), ElementsAre("a\u180Eb", "\u00A0", "c"));
}

TEST(SplitPatternTest, KeepsOrRefusesWhatIsBetweenMatches) {
  EXPECT_THAT(pieces("[0-9]", "ab12é"), ElementsAre("ab", "1", "2", "é"));
  EXPECT_EQ(fault_of_split("[0-9]", "12é", Gaps::kRefuse),
            "file: leaves out 'é' of the text; use a pattern that matches every text");
  EXPECT_THAT(pieces("[0-9]", "12", Gaps::kRefuse), ElementsAre("1", "2"));
}

TEST(SplitPatternTest, RefusesWhatIsNoPattern) {
  EXPECT_THAT(fault_of_split("(a"),
              HasSubstr("file: is no regular expression (missing closing parenthesis"));
  EXPECT_THAT(fault_of_split(R"(\C)"), HasSubstr("is no regular expression"));
  EXPECT_THAT(fault_of_split("a*"), HasSubstr("can match an empty text"));
  EXPECT_THAT(fault_of_split(std::string(1 << 15, 'a')), HasSubstr("has 32768 bytes"));
  EXPECT_THAT(fault_of_split(R"(a\Kb)", "ab"), HasSubstr("matches an empty text or part of one"));
}

TEST(SplitPatternTest, HostilePatternsEnd) {
  const std::string text(10'000, 'a');
  EXPECT_THAT(fault_of_split("(a+)+b", text), HasSubstr("takes too many steps"));
  EXPECT_THAT(fault_of_split("(?=(a+)+b)a", text), HasSubstr("takes too many steps"));
  EXPECT_THAT(fault_of_split("a(?R)?b", text), HasSubstr("file: "));
}

TEST(SplitPatternTest, LongRunsAreNoAttack) {
  const std::string text = std::string(1'000'000, ' ') + "x";
  EXPECT_THAT(pieces(kLlamaPattern, text), ElementsAre(std::string(999'999, ' '), " x"));
  EXPECT_EQ(pieces(kGpt2Pattern, std::string(1'000'000, 'x')).size(), 1U);
}

TEST(AddedWordsTest, FindsTheFirstAndThenTheLongest) {
  AddedWords words;
  words.add("ab", 1);
  words.add("abcd", 2);
  words.add("bcde", 3);
  std::string seen;
  const auto find = [&](std::string_view text) {
    seen.clear();
    words.split(
        text, [&](std::string_view between) { seen += "(" + std::string(between) + ")"; },
        [&](std::int32_t id) { seen += std::to_string(id); });
    return seen;
  };
  EXPECT_EQ(find("abcde"), "2(e)");
  EXPECT_EQ(find("xabcbcdeab"), "(x)1(c)31");
  EXPECT_EQ(find("none"), "(none)");
  EXPECT_EQ(find(""), "");
}

}  // namespace
}  // namespace qassay
