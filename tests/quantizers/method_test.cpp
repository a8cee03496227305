#include "quantizers/method.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(MethodTest, ParsesWhatItPrints) {
  for (const char* text : {"rtn",
                           "mse",
                           "hqq",
                           "gptq",
                           "gptq-act",
                           "gptq-damp0.05",
                           "gptq-act-damp0.1",
                           "gptq-damp1",
                           "awq",
                           "awq-noclip",
                           "awq-duo",
                           "awq-duo-noclip",
                           "smoothquant",
                           "smoothquant-0.8",
                           "smoothquant-0",
                           "smoothquant-1",
                           "smoothquant-0.85",
                           "rtn+entropy",
                           "rtn+percentile-99.9",
                           "gptq@32",
                           "gptq-act+mse@1024"}) {
    EXPECT_EQ(to_string(parse_method(text)), text);
  }
}

TEST(MethodTest, OptionsAreThoseOfTheText) {
  EXPECT_EQ(parse_method("rtn"), Method{});
  EXPECT_EQ(parse_method("gptq"), Method{.algorithm = Algorithm::gptq});
  EXPECT_EQ(parse_method("gptq-act-damp0.05"),
            (Method{.algorithm = Algorithm::gptq, .act_order = true, .damping = 0.05}));
  EXPECT_EQ(parse_method("awq-duo-noclip"),
            (Method{.algorithm = Algorithm::awq, .duo_scaling = true, .clips = false}));
  EXPECT_EQ(parse_method("smoothquant-0.8"),
            (Method{.algorithm = Algorithm::smoothquant, .migration = 0.8}));
  EXPECT_EQ(parse_method("rtn+mse@64"),
            (Method{.ranges = {.rule = RangeRule::mse}, .samples = 64}));
  EXPECT_EQ(weight_samples(parse_method("gptq@64")), 64);
  EXPECT_EQ(range_samples(parse_method("gptq@64")), 64);
  EXPECT_EQ(weight_samples(parse_method("gptq")), 128);
  EXPECT_EQ(range_samples(parse_method("gptq")), 1024);
}

std::string method_refusal(const std::string& text) {
  try {
    parse_method(text, "suite.toml: methods");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(MethodTest, RefusesWhatIsNoMethod) {
  struct Case {
    const char *text, *fault;
  };
  for (const auto& [text, fault] : std::vector<Case>{{"", "is not known"},
                                                     {"GPTQ", "is not known"},
                                                     {"gptq2", "is not known"},
                                                     {"gptq-", "unknown ending '-'"},
                                                     {"gptq-noclip", "unknown ending '-noclip'"},
                                                     {"gptq-actual", "unknown ending '-actual'"},
                                                     {"gptq-damp", "unknown ending '-damp'"},
                                                     {"gptq-damp0", "damping"},
                                                     {"gptq-damp1.5", "damping"},
                                                     {"gptq-damp-1", "unknown ending '-damp-1'"},
                                                     {"gptq-dampnan", "damping"},
                                                     {"gptq-damp0.01", "shortest form"},
                                                     {"gptq-damp0.050", "shortest form"},
                                                     {"gptq-damp0.05x", "unknown ending 'x'"},
                                                     {"gptq-damp0.05-act", "unknown ending '-act'"},
                                                     {"awq-noclip-duo", "unknown ending '-duo'"},
                                                     {"smoothquant-0.5", "shortest form"},
                                                     {"smoothquant-1.01", "alpha"},
                                                     {"smoothquant--0.1", "unknown ending '--0.1'"},
                                                     {"smoothquant--0", "unknown ending '--0'"},
                                                     {"smoothquant-.8", "shortest form"},
                                                     {"smoothquant-inf", "alpha"},
                                                     {"gptq@", "number of samples"},
                                                     {"gptq@7", "number of samples"},
                                                     {"gptq@064", "shortest form"},
                                                     {"gptq@64x", "number of samples"},
                                                     {"rtn+minmax", "shortest form"},
                                                     {"gptq@64+mse", "number of samples"},
                                                     {"rtn-act", "unknown ending '-act'"},
                                                     {"rtn ", "is not known"}}) {
    EXPECT_THAT(method_refusal(text),
                AllOf(HasSubstr("suite.toml: methods: method '"), HasSubstr(fault)))
        << text;
  }
}

TEST(MethodTest, KnowsWhatNeedsCalibration) {
  for (const char* text : {"rtn", "mse", "hqq"})
    EXPECT_FALSE(needs_calibration(parse_method(text))) << text;
  for (const char* text : {"gptq-act", "awq-noclip", "smoothquant-0.8"})
    EXPECT_TRUE(needs_calibration(parse_method(text))) << text;
}

}  // namespace
}  // namespace qassay
