#include "core/scheme.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "core/error.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> whole_grammar() {
  std::vector<std::string> texts{"FP32", "FP16", "BF16"};
  std::vector<std::string> granularities{"", "-tensor"};
  for (int block = 8; block <= 4096; ++block) granularities.push_back(fmt::format("-g{}", block));
  for (int bits = 2; bits <= 8; ++bits) {
    for (const char* input : {"A8", "A16"}) {
      for (const std::string& granularity : granularities) {
        for (const char* zero : {"", "-asym"}) {
          texts.push_back(fmt::format("W{}{}{}{}", bits, input, granularity, zero));
          const std::string text = texts.back();
          if (text.find("A8") == std::string::npos) continue;
          texts.push_back(text + "-static");
          if (granularity.starts_with("-g")) texts.push_back(text + "-blocked");
        }
      }
    }
  }
  return texts;
}

TEST(SchemeTest, EveryTextOfTheGrammarRoundTrips) {
  for (const std::string& text : whole_grammar()) ASSERT_EQ(to_string(parse_scheme(text)), text);
}

TEST(SchemeTest, SaysWhatTheTextSays) {
  const Scheme scheme = parse_scheme("W4A16-g128-asym");
  EXPECT_EQ(scheme.weights.kind, Kind::integer);
  EXPECT_EQ(scheme.weights.bits, 4);
  EXPECT_EQ(scheme.weights.per, Granularity::block);
  EXPECT_EQ(scheme.weights.block, 128);
  EXPECT_EQ(scheme.weights.scales, DType::f16);
  EXPECT_TRUE(scheme.weights.zero_points);
  EXPECT_FALSE(scheme.quantizes_input());

  const Scheme dynamic = parse_scheme("W8A8");
  EXPECT_EQ(dynamic.weights.per, Granularity::row);
  EXPECT_EQ(dynamic.weights.scales, DType::f32);
  EXPECT_FALSE(dynamic.weights.zero_points);
  EXPECT_TRUE(dynamic.quantizes_input());
  EXPECT_EQ(dynamic.input.number.bits, 8);

  EXPECT_EQ(parse_scheme("W8A8-tensor").weights.per, Granularity::tensor);
  EXPECT_EQ(parse_scheme("BF16").weights.kind, Kind::bf16);
  EXPECT_FALSE(parse_scheme("FP16").quantizes_input());
}

TEST(SchemeTest, AStaticRangeIsOneUnsignedAsymmetricGridForTheTensor) {
  const Scheme scheme = parse_scheme("W4A8-g32-asym-static");
  EXPECT_EQ(scheme.weights, parse_scheme("W4A8-g32-asym").weights);
  EXPECT_EQ(scheme.input.range, Range::fixed);
  EXPECT_EQ(scheme.input.number.kind, Kind::integer);
  EXPECT_EQ(scheme.input.number.bits, 8);
  EXPECT_EQ(scheme.input.number.per, Granularity::tensor);
  EXPECT_TRUE(scheme.input.number.zero_points);
  EXPECT_TRUE(scheme.quantizes_input());
}

TEST(SchemeTest, BlockedActivationsHaveTheBlocksOfTheWeights) {
  const Scheme scheme = parse_scheme("W4A8-g32-asym-blocked");
  EXPECT_EQ(scheme.weights, parse_scheme("W4A8-g32-asym").weights);
  EXPECT_EQ(scheme.input.range, Range::dynamic);
  EXPECT_EQ(scheme.input.number.kind, Kind::integer);
  EXPECT_EQ(scheme.input.number.bits, 8);
  EXPECT_EQ(scheme.input.number.per, Granularity::block);
  EXPECT_EQ(scheme.input.number.block, 32);
  EXPECT_EQ(scheme.input.number.scales, DType::f32);
  EXPECT_FALSE(scheme.input.number.zero_points);
  EXPECT_TRUE(scheme.blocks_input());
  EXPECT_FALSE(parse_scheme("W4A8-g32").blocks_input());
  EXPECT_NE(scheme, parse_scheme("W4A8-g32-asym"));
}

TEST(SchemeTest, ConvolutionsMakeInt8ActivationsStaticAndChangeNothingElse) {
  EXPECT_EQ(to_string(convolution_scheme(parse_scheme("W4A8-g32-blocked"))), "W4A8-g32-static");
  for (const char* text : {"W8A8", "W8A8-tensor", "W4A8-g32-asym"}) {
    const Scheme scheme = convolution_scheme(parse_scheme(text));
    EXPECT_EQ(to_string(scheme), std::string(text) + "-static");
    EXPECT_EQ(convolution_scheme(scheme), scheme);
  }
  for (const char* text : {"FP32", "FP16", "BF16", "W8A16", "W4A16-g128"})
    EXPECT_EQ(convolution_scheme(parse_scheme(text)), parse_scheme(text));
}

TEST(SchemeTest, RefusesWhatIsNoScheme) {
  for (const std::string text : {"",
                                 " ",
                                 "W",
                                 "A8",
                                 "w8a8",
                                 "W8",
                                 "W8A",
                                 "W8A8 ",
                                 " W8A8",
                                 "W1A8",
                                 "W9A8",
                                 "W16A16",
                                 "W0A8",
                                 "W-4A8",
                                 "W+4A8",
                                 "W4A4",
                                 "W4A32",
                                 "W4A-8",
                                 "W08A8",
                                 "W8A08",
                                 "W4A16-",
                                 "W4A16-g",
                                 "W4A16-g0",
                                 "W4A16-g7",
                                 "W4A16-g4097",
                                 "W4A16-g-32",
                                 "W4A16-g032",
                                 "W4A16-g99999999999999999999",
                                 "W4A16-g32-",
                                 "W4A16-g32-sym",
                                 "W4A16-asym-g32",
                                 "W4A16-asym-asym",
                                 "W4A16-g32-g32",
                                 "W8A8-tensor-g32",
                                 "W8A8-tensortensor",
                                 "W8A16-static",
                                 "W4A16-g32-static",
                                 "W8A8-static-asym",
                                 "W8A8-static-static",
                                 "W8A8static",
                                 "W8A8-blocked",
                                 "W8A8-tensor-blocked",
                                 "W4A16-g32-blocked",
                                 "W4A8-g32-static-blocked",
                                 "W4A8-g32-blocked-static",
                                 "W4A8-g32-blocked-asym",
                                 "FP32-static",
                                 "FP32-asym",
                                 "FP8",
                                 "fp16",
                                 "FP16 ",
                                 "BF16A8",
                                 "W99999999999999999999A8"}) {
    EXPECT_THROW(parse_scheme(text), InputError) << "'" << text << "'";
  }
  EXPECT_THROW(parse_scheme(std::string("W8A8\0", 5)), InputError);
}

TEST(SchemeTest, RefusalNamesThePlaceTheFaultAndTheMend) {
  try {
    parse_scheme("W4A16-g5", "suite.toml line 3");
    FAIL() << "must refuse";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("suite.toml line 3"));
    EXPECT_THAT(error.what(), HasSubstr("'W4A16-g5' has no group from 8 to 4096"));
    EXPECT_THAT(error.what(), HasSubstr("such as W4A16-g128"));
  }
}

TEST(SchemeTest, CountsBlocksWithAShortLastOne) {
  const NumberFormat block = parse_scheme("W4A16-g32").weights;
  EXPECT_EQ(blocks_per_row(block, 1), 1);
  EXPECT_EQ(blocks_per_row(block, 32), 1);
  EXPECT_EQ(blocks_per_row(block, 33), 2);
  EXPECT_EQ(blocks_per_row(block, 64), 2);
  EXPECT_EQ(blocks_per_row(parse_scheme("W8A8").weights, 4096), 1);
}

// P22: the sum of what a block has. The kernels' packed bytes are held against these in their
// table's test.
TEST(SchemeTest, CountsTheBitsOfScalesAndZeroPoints) {
  const auto bits = [](const char* scheme, std::int64_t k) {
    return bits_per_number(parse_scheme(scheme).weights, k);
  };
  EXPECT_EQ(bits("FP32", 4096), 32);
  EXPECT_EQ(bits("BF16", 4096), 16);
  EXPECT_EQ(bits("W8A8-tensor", 4096), 8);
  EXPECT_EQ(bits("W8A8", 4096), 8 + 32.0 / 4096);     // an FP32 scale a row
  EXPECT_EQ(bits("W8A8-g32", 4096), 8.5);             // as Q8_0: 34 bytes in 32
  EXPECT_EQ(bits("W4A16-g32", 4096), 4.5);            // as Q4_0: 18 bytes in 32
  EXPECT_EQ(bits("W4A16-g128", 4096), 4.125);         // an FP16 scale in 128
  EXPECT_EQ(bits("W4A16-g128-asym", 4096), 4.15625);  // as GPTQ and AWQ: and a zero point
  EXPECT_EQ(bits("W3A16-g32-asym", 4096), 3 + 19.0 / 32);
  EXPECT_EQ(bits("W4A16-g128", 200), 4 + 2 * 16.0 / 200);  // a short last group has its scale
  EXPECT_EQ(bits("W4A16-g128", 64), 4 + 16.0 / 64);        // a row shorter than the group
}

}  // namespace
}  // namespace qassay
