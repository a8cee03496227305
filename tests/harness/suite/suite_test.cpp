#include "harness/suite/suite.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kGood = R"(
name = "s"
description = "d"

[timing]
legs = 6
rounds = 12

[[sweep]]
model = "m"
shapes = ["16x32", "8x8"]
schemes = ["FP32", "W4A8-g32"]
backends = ["cpu"]
regimes = [{ m = 1, cache = "cold" }, { m = 64, cache = "hot" }]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string fault_of(const std::string& text) {
  try {
    parse_suite(text, "suite.toml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SuiteTest, ReadsEveryField) {
  const Suite suite = parse_suite(kGood, "suite.toml");
  EXPECT_EQ(suite.name, "s");
  EXPECT_EQ(suite.timing.legs, 6);
  EXPECT_EQ(suite.timing.rounds, 12);
  EXPECT_EQ(suite.timing.round_seconds, Timing{}.round_seconds);
  ASSERT_EQ(suite.sweeps.size(), 1U);
  const Sweep& sweep = suite.sweeps.front();
  EXPECT_THAT(sweep.shapes, ElementsAre(Shape{16, 32}, Shape{8, 8}));
  EXPECT_THAT(sweep.schemes, ElementsAre(parse_scheme("FP32"), parse_scheme("W4A8-g32")));
  EXPECT_THAT(sweep.methods, ElementsAre("rtn"));
  EXPECT_THAT(sweep.regimes, ElementsAre(Regime{1, Cache::cold}, Regime{64, Cache::hot}));
}

TEST(SuiteTest, AChangedTextHasAnotherHash) {
  EXPECT_NE(parse_suite(kGood, "a").hash,
            parse_suite(replaced(kGood, "m = 64", "m = 65"), "a").hash);
}

struct SuiteFault {
  const char* from;
  const char* to;
  const char* mentions;
};

void PrintTo(const SuiteFault& fault, std::ostream* out) { *out << fault.to; }

class SuiteFaultTest : public ::testing::TestWithParam<SuiteFault> {};

TEST_P(SuiteFaultTest, IsRefusedWithItsPlace) {
  const SuiteFault& fault = GetParam();
  const std::string text = fault_of(replaced(kGood, fault.from, fault.to));
  EXPECT_THAT(text, HasSubstr("suite.toml"));
  EXPECT_THAT(text, HasSubstr(fault.mentions));
}

INSTANTIATE_TEST_SUITE_P(
    All, SuiteFaultTest,
    ::testing::Values(
        SuiteFault{"name = \"s\"", "", "'name' is missing"},
        SuiteFault{"rounds = 12", "rounds = 12\ncolour = 1", "timing, colour"},
        SuiteFault{"rounds = 12", "rounds = 12.5", "rounds"},
        SuiteFault{"rounds = 12", "rounds = 9", "rounds"},
        SuiteFault{"legs = 6", "legs = 2", "legs"}, SuiteFault{"legs = 6", "legs = 7", "odd"},
        SuiteFault{"\"8x8\"", "\"8x\"", "8x"}, SuiteFault{"\"8x8\"", "\"0x8\"", "0x8"},
        SuiteFault{"\"8x8\"", "\"16x32\"", "twice"}, SuiteFault{"\"8x8\"", "8", "shapes"},
        SuiteFault{"W4A8-g32", "W4A8-g0", "W4A8-g0"}, SuiteFault{"[\"cpu\"]", "[]", "empty"},
        SuiteFault{"[\"cpu\"]", "\"cpu\"", "list"},
        SuiteFault{"\"cold\"", "\"warm\"", "neither hot nor cold"},
        SuiteFault{"m = 64, cache = \"hot\"", "m = 1, cache = \"cold\"", "repeats"},
        SuiteFault{"m = 64", "m = 0", "m"}, SuiteFault{"model = \"m\"", "model = \"m/n\"", "model"},
        SuiteFault{"model = \"m\"", "model = \"m\"\nevaluate = true", "trained weights"},
        SuiteFault{"model = \"m\"", "model = \"m\"\nwhole = true", "shapes are layers"},
        SuiteFault{"model = \"m\"", "model = \"m\"\ntimed = false", "nothing is scored"},
        SuiteFault{"backends", "methods = [\"gptq\"]\nbackends", "shapes have none"},
        SuiteFault{"model = \"m\"", "model = \"m\"\nbos = \"always\"", "first-window"},
        SuiteFault{"model = \"m\"", "model = \"m\"\ntext = \"a\"\ntokens = \"b\"", "beside a text"},
        SuiteFault{"model = \"m\"", "model = \"m\"\nkv_caches = [\"FP8\"]", "'FP8'"},
        SuiteFault{"[[sweep]]", "[[sweep", "TOML"},
        SuiteFault{"backends", "methods = [\"magic\"]\nbackends", "magic"}));

TEST(SuiteTest, EveryShippedSuiteParses) {
  ASSERT_FALSE(shipped_suites().empty());
  for (const std::string& name : shipped_suites()) EXPECT_EQ(load_suite(name).name, name);
}

TEST(SuiteTest, AFileThatIsNotThereIsRefused) {
  EXPECT_THROW(load_suite("no-such.toml"), InputError);
}

}  // namespace
}  // namespace qassay
