#include "harness/claims/footprint.hpp"

#include <gmock/gmock.h>

#include <string>

#include "models/shapes.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

Footprint of_parameters(double parameters, std::int64_t row) {
  Footprint footprint;
  footprint.parameters = parameters;
  footprint.row = row;
  return footprint;
}

double gigabytes(const Footprint& footprint, const char* scheme, const char* from = "") {
  return footprint.total_bytes(parse_scheme(scheme), from) / 1e9;
}

TEST(FootprintTest, ParametersTimesBits) {
  const Footprint gpt3 = of_parameters(175e9, 12288);
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "FP32"), 700);
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "W8A8-tensor"), 175);
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "W8A16"), 175 * (1 + 4.0 / 12288));
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "W4A16-tensor"), 87.5);
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "W4A16-g128"), 90.234375);
  EXPECT_DOUBLE_EQ(gigabytes(gpt3, "W4A16-g32"), 98.4375);

  const Footprint seven = of_parameters(7e9, 4096);
  EXPECT_DOUBLE_EQ(gigabytes(seven, "FP32"), 28);
  EXPECT_DOUBLE_EQ(gigabytes(seven, "W4A16-tensor"), 3.5);
}

TEST(FootprintTest, AShapeQuantizesItsLinearLayersAndKeepsTheRestInFp16) {
  Footprint whisper;
  whisper.shape = "shape:whisper-medium";
  const double parameters = whisper.parameter_count("");
  EXPECT_NEAR(parameters, 762e6, 2e6);
  EXPECT_DOUBLE_EQ(gigabytes(whisper, "FP32"), parameters * 4 / 1e9);
  EXPECT_DOUBLE_EQ(gigabytes(whisper, "FP16"), parameters * 2 / 1e9);
  // 705 million weights in layers of rows of 1,024 or more, a scale of 4 bytes each.
  const double int8 = gigabytes(whisper, "W8A8");
  EXPECT_GT(int8, parameters / 1e9);
  EXPECT_LT(int8, (705e6 * (1 + 4.0 / 240) + (parameters - 705e6) * 2) / 1e9);
  EXPECT_THAT(whisper.explain(parse_scheme("W8A8"), ""),
              HasSubstr("its linear layers in W8A8 with their scales, all else in FP16"));
}

TEST(FootprintTest, AShapeCountsEveryParameterOnce) {
  for (const std::string& name : shape_names()) {
    SCOPED_TRACE(name);
    Footprint footprint;
    footprint.shape = name;
    const double parameters = footprint.parameter_count("");
    EXPECT_DOUBLE_EQ(gigabytes(footprint, "FP32"), parameters * 4 / 1e9);
    EXPECT_DOUBLE_EQ(gigabytes(footprint, "FP16"), parameters * 2 / 1e9);
  }
}

TEST(FootprintTest, TheCacheOfKeysAndValuesStaysAsItIs) {
  Footprint footprint;
  footprint.total_gb = 100;
  footprint.from = {"FP16", "FP32"};
  footprint.row = 8192;
  EXPECT_DOUBLE_EQ(gigabytes(footprint, "W4A16-tensor", "FP16"), 25);
  EXPECT_DOUBLE_EQ(gigabytes(footprint, "W4A16-tensor", "FP32"), 12.5);
  EXPECT_DOUBLE_EQ(footprint.parameter_count("FP16"), 50e9);

  // 2 tensors * 10 layers * 8 heads * 100 numbers * 1000 tokens * 5 sequences * 2 bytes
  footprint.kv_cache = KvCache{10, 8, 100, 1000, 5, 16};
  EXPECT_DOUBLE_EQ(footprint.kv_cache->bytes(), 160e6);
  EXPECT_DOUBLE_EQ(gigabytes(footprint, "FP16", "FP16"), 100);
  EXPECT_DOUBLE_EQ(gigabytes(footprint, "W4A16-tensor", "FP16"), (100 - 0.16) / 4 + 0.16);
}

}  // namespace
}  // namespace qassay
