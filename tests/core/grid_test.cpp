#include "core/grid.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace qassay {
namespace {

using ::testing::ElementsAre;

// The worked example of the source articles: asymmetric, 8 bits, digit by digit.
TEST(GridTest, WorkedExampleOfTheArticles) {
  const std::vector<float> values{0.1F, 0.5F, 1.2F, 2.8F, -0.3F, -1.5F};
  const Grid grid = asymmetric_grid(-1.5F, 2.8F, 8, DType::f32);
  EXPECT_NEAR(grid.scale, 0.0169, 0.00005);
  EXPECT_FLOAT_EQ(grid.scale, 4.3F / 255.0F);
  EXPECT_EQ(grid.zero, 89);

  std::vector<int> codes;
  for (const float value : values) codes.push_back(grid.code(value));
  EXPECT_THAT(codes, ElementsAre(95, 119, 160, 255, 71, 0));
  EXPECT_NEAR(grid.value(95), 0.101, 0.0005);
  EXPECT_NEAR(grid.value(160), 1.20, 0.005);
}

}  // namespace
}  // namespace qassay
