#include "models/linear_algebra.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

TEST_F(LinearAlgebraTest, SubtractsProducts) {
  constexpr std::int64_t m = 9, n = 21, k = 13;
  const auto a = normal(m * k, 4);
  const auto b = normal(k * n, 5);
  const auto c = normal(m * n, 6);
  auto got = c;
  subtract_product({a.data(), m, k}, {b.data(), k, n}, {got.data(), m, n});
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = c[static_cast<std::size_t>(i * n + j)];
      for (std::int64_t l = 0; l < k; ++l) {
        sum -=
            double{a[static_cast<std::size_t>(i * k + l)]} * b[static_cast<std::size_t>(l * n + j)];
      }
      EXPECT_NEAR(got[static_cast<std::size_t>(i * n + j)], sum, 1e-5);
    }
  }
}

/// A Gram matrix of n features with a ridge, on and below the diagonal; above it, what must not be
/// read.
std::vector<double> positive_definite(std::int64_t n) {
  const auto z = normal(2 * n * n, 7);
  std::vector<double> a(static_cast<std::size_t>(n * n), -1e30);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) a[static_cast<std::size_t>(i * n + j)] = i == j ? 0.1 : 0;
  }
  add_gram({z.data(), 2 * n, n}, {a.data(), n, n}, 2);
  return a;
}

std::vector<float> factor_of(std::vector<double> a, std::int64_t n, int threads) {
  std::vector<float> factor(static_cast<std::size_t>(n * n), 99.0F);
  EXPECT_TRUE(inverse_cholesky({a.data(), n, n}, {factor.data(), n, n}, threads));
  return factor;
}

// U a U^T = 1, so F a F^T is diagonal for F = U with rows divided by their diagonal: row i of F a,
// which has the size of a's, meets row j of F in a sum that vanishes but for rounding to float.
TEST_F(LinearAlgebraTest, FactorsInverses) {
  for (const std::int64_t n : {1, 2, 127, 129, 256, 300, 600}) {
    const std::vector<double> a = positive_definite(n);
    const std::vector<float> f = factor_of(a, n, 2);
    const auto at = [n](std::int64_t i, std::int64_t j) {
      return static_cast<std::size_t>(i * n + j);
    };
    double worst = 0;
    for (std::int64_t i = 0; i < n; i += std::max<std::int64_t>(1, n / 17)) {
      std::vector<double> row(static_cast<std::size_t>(n));
      for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t l = i; l < n; ++l) {
          row[static_cast<std::size_t>(j)] += f[at(i, l)] * a[at(std::max(l, j), std::min(l, j))];
        }
      }
      EXPECT_EQ(f[at(i, i)], 1.0F);
      for (std::int64_t j = i + 1; j < n; ++j) {
        double sum = 0;
        for (std::int64_t l = j; l < n; ++l) sum += row[static_cast<std::size_t>(l)] * f[at(j, l)];
        worst = std::max(worst, std::fabs(sum));
      }
      for (std::int64_t j = 0; j < i; ++j) ASSERT_EQ(f[at(i, j)], 99.0F) << "below the diagonal";
    }
    // n terms of at most 2n + 6 sqrt(4n), each off by 2^-24 of itself twice, in random directions.
    const auto size = static_cast<double>(n);
    EXPECT_LE(worst, 2 * 0x1p-24 * std::sqrt(size) * (2 * size + 12 * std::sqrt(size)) + 1e-9) << n;
  }
}

TEST_F(LinearAlgebraTest, FactorsDoNotDependOnThreads) {
  const std::int64_t n = 700;
  const std::vector<double> a = positive_definite(n);
  const std::vector<float> one = factor_of(a, n, 1);
  EXPECT_EQ(factor_of(a, n, 2), one);
  EXPECT_EQ(factor_of(a, n, 5), one);
}

TEST_F(LinearAlgebraTest, SaysWhatHasNoFactor) {
  const std::int64_t n = 300;
  std::vector<float> factor(static_cast<std::size_t>(n * n));
  for (const std::int64_t bad : {0, 150, 299}) {
    std::vector<double> a = positive_definite(n);
    a[static_cast<std::size_t>(bad * n + bad)] = -1;
    EXPECT_FALSE(inverse_cholesky({a.data(), n, n}, {factor.data(), n, n}, 2)) << bad;
  }
}

TEST_F(LinearAlgebraTest, SaysWhenThereIsNoSolution) {
  std::vector<double> a{1, 0, 2, 1};
  std::vector<double> b{1, 1};
  EXPECT_THROW(solve_positive_definite({a.data(), 2, 2}, {b.data(), 1, 2}), std::runtime_error);
}

}  // namespace
}  // namespace qassay
