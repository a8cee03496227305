#include "datasets/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qassay {
namespace {

TEST(Utf8Test, TakesEveryLengthOfSequenceAtItsEnds) {
  const std::vector<std::string> sound{"",
                                       "plain",
                                       std::string("\0", 1),
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
  for (const std::string& text : sound) EXPECT_FALSE(first_not_utf8(text)) << text;
}

TEST(Utf8Test, FindsWhereTheFirstFaultBegins) {
  const std::vector<std::string> faults{"\x80",              // no lead
                                        "\xC0\x80",          // overlong
                                        "\xC1\xBF",          // overlong
                                        "\xE0\x9F\xBF",      // overlong
                                        "\xF0\x8F\xBF\xBF",  // overlong
                                        "\xED\xA0\x80",      // surrogate
                                        "\xF4\x90\x80\x80",  // above U+10FFFF
                                        "\xF5\x80\x80\x80",  // above U+10FFFF
                                        "\xFF",              //
                                        "\xC3",              // cut short
                                        "\xE2\x82",          // cut short
                                        "\xF0\x9F\x92",      // cut short
                                        "\xC3 ",             // no second byte
                                        "\xE2\x82 ",         // no third byte
                                        "\xF0\x9F\x92 "};    // no fourth byte
  for (const std::string& fault : faults) {
    EXPECT_EQ(first_not_utf8("\xC3\xA9 " + fault + " \x80"), 3U) << testing::PrintToString(fault);
  }
  EXPECT_EQ(first_not_utf8("ab\xE2\x82"), 2U) << "cut short by the end of the text";
}

}  // namespace
}  // namespace qassay
