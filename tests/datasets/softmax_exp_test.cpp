#include "datasets/softmax_exp.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qassay {
namespace {

TEST(SoftmaxExpTest, IsWithinTwoUnitsInTheLastPlace) {
  double worst = 0;
  for (double x = 0; x > -700; x -= 0.00137) {
    const long double exact = std::exp(static_cast<long double>(x));
    worst = std::max(worst, static_cast<double>(std::abs(softmax_exp(x) / exact - 1)));
  }
  EXPECT_LT(worst, 2 * std::numeric_limits<double>::epsilon());
}

TEST(SoftmaxExpTest, IsOneAtZeroAndNothingFarBelow) {
  EXPECT_EQ(softmax_exp(0), 1);
  EXPECT_EQ(softmax_exp(-0.0), 1);
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  for (const double x : {-700.0, -701.0, -1e5, -1e300, -kInfinite}) {
    EXPECT_GT(softmax_exp(x), 0);
    EXPECT_LT(softmax_exp(x), 1.1e-304);
  }
}

}  // namespace
}  // namespace qassay
