#include "datasets/softmax_exp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace qassay {
namespace {

TEST(SoftmaxExpTest, IsWithinTwoUnitsInTheLastPlace) {
  double worst = 0;
  for (double x = 0; x > kLowestSoftmaxExp; x -= 0.00137) {
    const long double exact = std::exp(static_cast<long double>(x));
    worst = std::max(worst, static_cast<double>(std::abs(softmax_exp(x) / exact - 1)));
  }
  EXPECT_LT(worst, 2 * std::numeric_limits<double>::epsilon());
}

TEST(SoftmaxExpTest, IsOneAtZeroAndNothingAtItsEnd) {
  EXPECT_EQ(softmax_exp(0), 1);
  EXPECT_EQ(softmax_exp(-0.0), 1);
  EXPECT_GT(softmax_exp(kLowestSoftmaxExp), 0);
  EXPECT_LT(softmax_exp(kLowestSoftmaxExp), 1e-303);
}

}  // namespace
}  // namespace qassay
