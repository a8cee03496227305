#include "quantizers/hessian.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "models/linear_algebra.hpp"
#include "tests/quantizers/layer_sample.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

class HessianTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

TEST_F(HessianTest, SumsProductsOfInputs) {
  const LayerSample layer(1, 37, 50, 0.5, "hessian");
  Hessian whole(layer.k), batches(layer.k);
  whole.add(layer.x());
  for (std::int64_t row = 0; row < layer.m; row += 7) {
    batches.add({layer.x().row(row), std::min<std::int64_t>(7, layer.m - row), layer.k});
  }
  EXPECT_EQ(batches.rows(), layer.m);
  EXPECT_EQ(batches.inputs(), layer.k);
  for (std::int64_t i = 0; i < layer.k; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (std::int64_t row = 0; row < layer.m; ++row) {
        sum += double{layer.x().row(row)[i]} * layer.x().row(row)[j];
      }
      // 50 terms, whose magnitudes sum to less than 150, each rounded at most 50 times.
      EXPECT_NEAR(whole.sums().row(i)[j], sum, 50 * 150 * 0x1p-24);
      EXPECT_NEAR(batches.sums().row(i)[j], sum, 50 * 150 * 0x1p-24);
    }
  }
}

TEST_F(HessianTest, DoesNotDependOnThreads) {
  const LayerSample layer(1, 600, 70, 0.5, "hessian threads");
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Hessian one = layer.hessian();
  omp_set_num_threads(3);
  const Hessian three = layer.hessian();
  omp_set_num_threads(before);
  for (std::int64_t i = 0; i < layer.k; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      ASSERT_EQ(one.sums().row(i)[j], three.sums().row(i)[j]);
    }
  }
}

std::string hessian_refusal(std::int64_t row, std::int64_t column, float bad) {
  LayerSample layer(1, 9, 12, 0, "refused");
  Hessian hessian(layer.k, "input of fc1");
  hessian.add(layer.x());
  layer.inputs[static_cast<std::size_t>(row * layer.k + column)] = bad;
  try {
    hessian.add(layer.x());
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(HessianTest, NamesTheInputThatIsNotFinite) {
  EXPECT_THAT(hessian_refusal(3, 7, std::numeric_limits<float>::quiet_NaN()),
              HasSubstr("input of fc1, row 15, input 7: nan is not a finite number"));
  EXPECT_THAT(hessian_refusal(0, 2, -std::numeric_limits<float>::infinity()),
              HasSubstr("input of fc1, row 12, input 2: -inf is not a finite number"));
  EXPECT_THAT(hessian_refusal(5, 4, 1e20F),
              HasSubstr("input of fc1, input 4: its squares overflow"));
  EXPECT_EQ(hessian_refusal(5, 4, 1e15F), "accepted");
}

}  // namespace
}  // namespace qassay
