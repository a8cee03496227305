#include "models/linear_algebra.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "core/seed.hpp"

namespace qassay {
namespace {

std::vector<float> normal(std::int64_t size, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(size));
  fill_normal(values, seed, 1.0F);
  return values;
}

class LinearAlgebraTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
};

TEST_F(LinearAlgebraTest, MultipliesAcrossTiles) {
  constexpr std::int64_t m = 261, n = 7, k = 19;
  const auto x = normal(m * k, 1);
  const auto w = normal(n * k, 2);
  std::vector<float> y(m * n);
  multiply_transposed({x.data(), m, k}, {w.data(), n, k}, {y.data(), m, n}, 2);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        sum +=
            double{x[static_cast<std::size_t>(i * k + l)]} * w[static_cast<std::size_t>(j * k + l)];
      }
      EXPECT_NEAR(y[static_cast<std::size_t>(i * n + j)], sum, 1e-5);
    }
  }
}

TEST_F(LinearAlgebraTest, AddsGramMatricesAcrossTiles) {
  constexpr std::int64_t m = 9, k = 515;
  const auto z = normal(m * k, 3);
  std::vector<double> gram(k * k, 1.0);
  add_gram({z.data(), m, k}, {gram.data(), k, k}, 2);
  for (std::int64_t i = 0; i < k; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double sum = 1;
      for (std::int64_t l = 0; l < m; ++l) {
        sum +=
            double{z[static_cast<std::size_t>(l * k + i)]} * z[static_cast<std::size_t>(l * k + j)];
      }
      ASSERT_NEAR(gram[static_cast<std::size_t>(i * k + j)], sum, 1e-4) << i << " " << j;
    }
  }
}

TEST_F(LinearAlgebraTest, GivesTheSameBitsForAnyNumberOfThreads) {
  constexpr std::int64_t m = 700, n = 600, k = 100;
  const auto x = normal(m * k, 4);
  const auto w = normal(n * k, 5);
  std::vector<float> y[3];
  std::vector<double> gram[3];
  for (int threads = 1; threads <= 3; ++threads) {
    auto& out = y[threads - 1];
    out.resize(m * n);
    multiply_transposed({x.data(), m, k}, {w.data(), n, k}, {out.data(), m, n}, threads);
    auto& sums = gram[threads - 1];
    sums.resize(n * n);
    add_gram({out.data(), m, n}, {sums.data(), n, n}, threads);
  }
  EXPECT_TRUE(y[0] == y[1] && y[0] == y[2]);
  EXPECT_TRUE(gram[0] == gram[1] && gram[0] == gram[2]);
}

TEST_F(LinearAlgebraTest, SolvesFromTheLowerTriangle) {
  // [[4, 2], [2, 3]] x = b has for b = (10, 8) the solution (1.75, 1.5), for (0, 8) (-2, 4).
  std::vector<double> a{4, -99, 2, 3};
  std::vector<double> b{10, 8, 0, 8};
  solve_positive_definite({a.data(), 2, 2}, {b.data(), 2, 2});
  EXPECT_NEAR(b[0], 1.75, 1e-14);
  EXPECT_NEAR(b[1], 1.5, 1e-14);
  EXPECT_NEAR(b[2], -2, 1e-14);
  EXPECT_NEAR(b[3], 4, 1e-14);
}

TEST_F(LinearAlgebraTest, SaysWhenThereIsNoSolution) {
  std::vector<double> a{1, 0, 2, 1};
  std::vector<double> b{1, 1};
  EXPECT_THROW(solve_positive_definite({a.data(), 2, 2}, {b.data(), 1, 2}), std::runtime_error);
}

}  // namespace
}  // namespace qassay
