#include "core/json_object.hpp"

#include <gmock/gmock.h>

#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string parse_fault(std::string_view text, int depth = 4) {
  return fault_of([&] { parse_json(text, "a.json", depth); });
}

TEST(ParseJsonTest, SaysWhereTextIsNoJson) {
  EXPECT_EQ(parse_fault(R"({"a": 1,})"), "a.json: is not JSON (byte 9); mend the syntax there");
  EXPECT_THAT(parse_fault(""), HasSubstr("is not JSON"));
  EXPECT_THAT(parse_fault("{} x"), HasSubstr("is not JSON"));
  EXPECT_THAT(parse_fault(std::string_view("{}\0", 3)), HasSubstr("is not JSON (byte 3)"));
  EXPECT_THAT(parse_fault("{\"a\": NaN}"), HasSubstr("is not JSON"));
  EXPECT_THAT(parse_fault("{\"\xFF\": 1}"), HasSubstr("is not JSON"));
  EXPECT_THAT(parse_fault(R"({"a": 1e999})"), HasSubstr("too large"));
}

TEST(ParseJsonTest, RefusesKeysGivenTwiceInOneObject) {
  EXPECT_THAT(parse_fault(R"({"a": 1, "b": {"a": 2}, "a": 3})"), HasSubstr("key 'a' twice"));
  EXPECT_THAT(parse_fault(R"([{"b": {"c": 1, "c": 1}}])"), HasSubstr("key 'c' twice"));
  // The same key, written with an escape.
  EXPECT_THAT(parse_fault(R"({"a": 1, "\u0061": 3})"), HasSubstr("key 'a' twice"));
  EXPECT_EQ(parse_json(R"([{"a": 1}, {"a": {"a": 2}}])", "a.json", 4)[1]["a"]["a"], 2);
}

TEST(ParseJsonTest, LimitsTheDepth) {
  EXPECT_EQ(parse_json("[[[[1]]]]", "a.json", 4).dump(), "[[[[1]]]]");
  EXPECT_THAT(parse_fault("[[[[[1]]]]]"), HasSubstr("nests deeper than 4 levels"));
  EXPECT_THAT(parse_fault(R"({"a":{"a":{"a":{"a":{}}}}})"), HasSubstr("nests deeper"));
  EXPECT_THAT(parse_fault(std::string(1'000'000, '[')), HasSubstr("nests deeper"));
}

TEST(ExcerptableTest, CutsBetweenCharactersAndHidesControls) {
  EXPECT_EQ(excerpt("stem.conv \xC3\xA9"), "stem.conv \xC3\xA9");
  EXPECT_EQ(excerpt(std::string_view("a\n\0\x1B\x7F", 5)), "a????");
  EXPECT_EQ(excerpt(std::string(80, 'x')), std::string(80, 'x'));
  EXPECT_EQ(excerpt(std::string(81, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(excerpt(std::string(79, 'x') + "\xC3\xA9"), std::string(79, 'x') + "...");
}

class JsonObjectTest : public ::testing::Test {
 protected:
  const nlohmann::json json_ = nlohmann::json::parse(R"({
    "text": "x", "flag": true, "number": 0.5, "whole": 7, "list": [1, 2], "texts": ["a", "b"],
    "huge": 18446744073709551615, "objects": [{"key": 1}, 2], "object": {"inner": {"deep": 1.0}}})");
  const JsonObject object_{json_, "a.json"};
};

TEST_F(JsonObjectTest, GivesTheValues) {
  EXPECT_EQ(object_.text("text"), "x");
  EXPECT_TRUE(object_.flag("flag"));
  EXPECT_EQ(object_.number("number", 0, 1), 0.5);
  EXPECT_EQ(object_.number("whole", 0, 7), 7);
  EXPECT_EQ(object_.integer("whole", 7, 7), 7);
  EXPECT_THAT(object_.integers("list", 0, 2), ElementsAre(1, 2));
  EXPECT_THAT(object_.texts("texts"), ElementsAre("a", "b"));
  EXPECT_TRUE(object_.has("object"));
  EXPECT_TRUE(object_.given("object"));
  EXPECT_FALSE(object_.given("none"));
  EXPECT_THAT(object_.object("object").keys(), ElementsAre("inner"));
}

TEST_F(JsonObjectTest, NamesFileAndPathOfEveryFault) {
  const auto fault = [](auto action) { return fault_of(action); };
  EXPECT_EQ(fault([&] { object_.text("none"); }),
            "a.json: 'none' is missing; give a text in quotes");
  EXPECT_EQ(fault([&] { object_.object("object").object("inner").integer("deep", 0, 9); }),
            "a.json: object, inner, deep: is not a whole number in range; write one from 0 to 9");
  EXPECT_EQ(fault([&] { object_.objects("objects"); }),
            "a.json: objects 2: is not a JSON object; write { ... }");
  EXPECT_EQ(fault([&] { object_.object("object").allow_only({"outer"}); }),
            "a.json: object, inner: is not a known key; known here: outer");
}

TEST_F(JsonObjectTest, RefusesOtherTypesAndNumbersOutOfRange) {
  const auto fault = [](auto action) { return fault_of(action); };
  EXPECT_THAT(fault([&] { object_.text("flag"); }), HasSubstr("text in quotes"));
  EXPECT_THAT(fault([&] { object_.flag("whole"); }), HasSubstr("true or false"));
  EXPECT_THAT(fault([&] { object_.number("text", 0, 1); }), HasSubstr("wrong type"));
  EXPECT_THAT(fault([&] { object_.number("whole", 0, 1); }), HasSubstr("from 0 to 1"));
  EXPECT_THAT(fault([&] { object_.integer("whole", 8, 9); }), HasSubstr("from 8 to 9"));
  EXPECT_THAT(fault([&] { object_.integer("huge", -9, 9); }), HasSubstr("from -9 to 9"));
  EXPECT_THAT(fault([&] { object_.integers("list", 0, 1); }), HasSubstr("from 0 to 1"));
  EXPECT_THAT(fault([&] { object_.integers("object", 0, 1); }), HasSubstr("list of whole"));
  EXPECT_THAT(fault([&] { object_.texts("list"); }), HasSubstr("list of texts"));
  EXPECT_THAT(fault([&] { object_.object("list"); }), HasSubstr("not a JSON object"));
  EXPECT_THAT(fault([&] { object_.objects("text"); }), HasSubstr("list of objects"));
  EXPECT_THAT(fault([&] { JsonObject(json_["list"], "a.json"); }), StartsWith("a.json: is not a"));
}

}  // namespace
}  // namespace qassay
