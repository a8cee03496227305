#include "core/extremes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/seed.hpp"
#include "tests/core/special_values.hpp"

namespace qassay {
namespace {

TEST(ExtremesTest, AgreeWithAPlainSearchAtEveryLength) {
  for (std::int64_t n = 1; n < 70; ++n) {
    std::vector<float> x(static_cast<std::size_t>(n));
    fill_normal(x, seed_from_name("extremes") + static_cast<std::uint64_t>(n), 3.0F);
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    const Extremes found = extremes(x.data(), n);
    EXPECT_EQ(found.min, *low) << n;
    EXPECT_EQ(found.max, *high) << n;
    EXPECT_EQ(largest_magnitude(x.data(), n), std::max(-*low, *high)) << n;
  }
}

TEST(ExtremesTest, AreZeroForNoValues) {
  EXPECT_EQ(largest_magnitude(nullptr, 0), 0.0F);
  EXPECT_EQ(extremes(nullptr, 0).min, 0.0F);
  EXPECT_EQ(extremes(nullptr, 0).max, 0.0F);
}

TEST(ExtremesTest, ShowEveryValueThatIsNotFinite) {
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (std::size_t at = 0; at < 37; ++at) {
      std::vector<float> x(37, -1.0F);
      x[at] = bad;
      const Extremes found = extremes(x.data(), 37);
      EXPECT_FALSE(std::isfinite(found.min) && std::isfinite(found.max)) << bad << " at " << at;
      EXPECT_FALSE(std::isfinite(largest_magnitude(x.data(), 37))) << bad << " at " << at;
    }
  }
}

TEST(ExtremesTest, KeepOneSidedRanges) {
  const std::vector<float> x{-3.0F, -1.0F, -2.0F};
  EXPECT_EQ(extremes(x.data(), 3).min, -3.0F);
  EXPECT_EQ(extremes(x.data(), 3).max, -1.0F);
}

}  // namespace
}  // namespace qassay
