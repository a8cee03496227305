#include "models/synthetic.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

namespace qassay {
namespace {

double deviation(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST(SyntheticTest, WeightsDependOnTheNameAlone) {
  const Layer layer = synthetic_layer("decoder-7b/64x96", 64, 96);
  const Layer again = synthetic_layer("decoder-7b/64x96", 64, 96);
  EXPECT_EQ(layer.shape, again.shape);
  EXPECT_EQ(layer.weights, again.weights);
  EXPECT_NE(layer.weights, synthetic_layer("decoder-13b/64x96", 64, 96).weights);
  EXPECT_EQ(layer.shape.name, "decoder-7b/64x96");
  EXPECT_EQ(layer.weights.size(), 64U * 96U);
  EXPECT_TRUE(layer.bias.empty());
}

TEST(SyntheticTest, WeightsKeepTheScaleOfTheActivations) {
  const Layer layer = synthetic_layer("any", 512, 400);
  EXPECT_NEAR(deviation(layer.weights), 1.0 / std::sqrt(400.0), 0.0005);
}

TEST(SyntheticTest, WeightsAreNormal) {
  const Layer layer = synthetic_layer("any", 500, 400);
  const auto share_beyond = [&](double deviations) {
    const auto count = std::ranges::count_if(
        layer.weights, [&](float w) { return std::fabs(w) * std::sqrt(400.0) > deviations; });
    return static_cast<double>(count) / static_cast<double>(layer.weights.size());
  };
  // 200,000 numbers: five deviations of the counts.
  for (const auto& [deviations, share] : {std::pair{1.0, 0.31731}, {2.0, 0.04550}, {3.0, 0.00270}})
    EXPECT_NEAR(share_beyond(deviations), share, 5 * std::sqrt(share / 200000)) << deviations;
  double product = 0;  // neighbours are independent
  for (std::size_t i = 1; i < layer.weights.size(); ++i)
    product += double{layer.weights[i]} * layer.weights[i - 1] * 400;
  EXPECT_NEAR(product / 200000, 0, 5 / std::sqrt(200000.0));
}

TEST(SyntheticTest, HalfAPercentOfTheChannelsAreOutliers) {
  for (const auto& [k, wanted] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {64, 1}, {768, 4}, {4096, 20}, {11008, 55}}) {
    const std::vector<float> factors = synthetic_channel_factors(k);
    ASSERT_EQ(factors.size(), static_cast<std::size_t>(k));
    const auto plain = std::count(factors.begin(), factors.end(), 1.0F);
    EXPECT_EQ(k - plain, wanted) << k;
    for (const float factor : factors) {
      EXPECT_TRUE(factor == 1.0F || (factor >= kOutlierLow && factor <= kOutlierHigh)) << factor;
    }
    EXPECT_EQ(factors, synthetic_channel_factors(k));
  }
}

TEST(SyntheticTest, OutlierFactorsSpanTheirRange) {
  std::vector<float> outliers;
  for (const float factor : synthetic_channel_factors(11008)) {
    if (factor != 1.0F) outliers.push_back(factor);
  }
  EXPECT_LT(*std::min_element(outliers.begin(), outliers.end()), 30);
  EXPECT_GT(*std::max_element(outliers.begin(), outliers.end()), 50);
}

TEST(SyntheticTest, ActivationsHaveTheSameOutlierChannelsInEveryRow) {
  constexpr std::int64_t m = 2000, k = 256;
  const std::vector<float> x = synthetic_activations(m, k);
  const std::vector<float> factors = synthetic_channel_factors(k);
  for (std::int64_t col = 0; col < k; ++col) {
    std::vector<float> channel;
    for (std::int64_t row = 0; row < m; ++row) {
      channel.push_back(x[static_cast<std::size_t>(row * k + col)]);
    }
    const double factor = factors[static_cast<std::size_t>(col)];
    EXPECT_NEAR(deviation(channel) / factor, 1.0, 0.1) << col;
  }
}

TEST(SyntheticTest, ASmallerBatchIsTheBeginningOfALargerOne) {
  const std::vector<float> large = synthetic_activations(5, 77);
  const std::vector<float> small = synthetic_activations(1, 77);
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
  EXPECT_EQ(large, synthetic_activations(5, 77));
}

}  // namespace
}  // namespace qassay
