#include "reports/html.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace qassay {
namespace {

using nlohmann::json;

TEST(HtmlTest, EscapesWhatMeansSomethingInTextAndAttributes) {
  EXPECT_EQ(html("</script><b a=\"1\" c='2'>&amp;"),
            "&lt;/script&gt;&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
  EXPECT_EQ(html("größer − 3 µs 漢字 🙂"), "größer − 3 µs 漢字 🙂");
}

TEST(HtmlTest, ShowsControlCharacters) {
  EXPECT_EQ(readable(std::string_view("a\0b\x1b[31m\x7f\r\n\t", 12)), "a␀b␛[31m␡␍\n\t");
}

TEST(HtmlTest, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(readable("a\xFFz"), "a�z");
  EXPECT_EQ(readable("\xC0\xAF"), "��") << "overlong slash";
  EXPECT_EQ(readable("\xED\xA0\x80"), "���") << "surrogate";
  EXPECT_EQ(readable("\xF4\x90\x80\x80"), "����") << "above U+10FFFF";
  EXPECT_EQ(readable("cut \xE2\x82"), "cut ��") << "ends inside a character";
}

TEST(HtmlTest, ReplacesCharactersThatTurnTheDirectionOfText) {
  EXPECT_EQ(readable("a\u202Eb\u2066c\u200Fd\u0085e"), "a�b�c�d�e");
  EXPECT_EQ(readable("\u2029\u2030"), "\u2029\u2030") << "neighbours of the range stay";
}

TEST(HtmlTest, WritesJsonThatCannotEndAScript) {
  const json value = {{"</script>", "<!-- & \u2028 \"quoted\""}};
  const std::string text = script_json(value);
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos) << text;
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; }))
      << text;
  EXPECT_EQ(json::parse(text), value);
}

TEST(HtmlTest, WritesJsonForWhatJsonCannotHold) {
  const json value = {std::numeric_limits<double>::quiet_NaN(),
                      std::numeric_limits<double>::infinity(), "\xFF"};
  EXPECT_EQ(json::parse(script_json(value)), json::parse(R"([null, null, "\ufffd"])"));
}

TEST(FillPlacesTest, LooksAtNoFillingAgain) {
  const std::array fillings = {Filling{"a", "{{b}}"}, Filling{"b", "{{a}}"}};
  EXPECT_EQ(fill_places("<{{a}}|{{b}}>", fillings), "<{{b}}|{{a}}>");
}

TEST(FillPlacesTest, ThrowsWhereNothingFillsAPlace) {
  const std::array fillings = {Filling{"a", "1"}};
  EXPECT_THROW(fill_places("{{other}}", fillings), std::logic_error);
  EXPECT_THROW(fill_places("{{a", fillings), std::logic_error);
}

}  // namespace
}  // namespace qassay
