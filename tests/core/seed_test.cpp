#include "core/seed.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace qassay {
namespace {

std::vector<float> filled(std::size_t size, int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  std::vector<float> values(size);
  fill_normal(values, seed_from_name("fill"), 1.0F);
  omp_set_num_threads(before);
  return values;
}

TEST(SeedTest, NamesGiveTheSameSeedsEverywhere) {
  // FNV-1a of "" and "a" are 0xCBF29CE484222325 and 0xAF63DC4C8601EC8C; then SplitMix64's mixing.
  const auto mixed = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  };
  EXPECT_EQ(seed_from_name(""), mixed(0xCBF29CE484222325U));
  EXPECT_EQ(seed_from_name("a"), mixed(0xAF63DC4C8601EC8CU));
}

TEST(SeedTest, NamesGiveDifferentSeeds) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 10'000; ++i) seeds.insert(seed_from_name("layer " + std::to_string(i)));
  EXPECT_EQ(seeds.size(), 10'000U);
}

TEST(RandomTest, IsSplitMix64) {
  // The first numbers of the published generator for seed 1234567.
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(RandomTest, UniformStaysInItsRangeWithItsMoments) {
  Random random(1);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.005);
}

TEST(RandomTest, BelowIsEven) {
  Random random(2);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(random.below(7));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);  // more than five deviations
  EXPECT_EQ(Random(3).below(1), 0U);
}

TEST(FillNormalTest, DoesNotDependOnThreads) {
  for (const std::size_t size : {0U, 1U, 2U, 999U, 100'001U}) {
    const std::vector<float> one = filled(size, 1);
    EXPECT_EQ(one, filled(size, 2)) << size;
    EXPECT_EQ(one, filled(size, 5)) << size;
  }
}

TEST(FillNormalTest, LongerStreamsBeginWithShorterOnes) {
  const std::vector<float> longer = filled(1000, 2);
  const std::vector<float> shorter = filled(333, 2);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST(FillNormalTest, HasTheMomentsOfANormalDistribution) {
  constexpr std::size_t kSize = 1'000'000;
  std::vector<float> values(kSize);
  fill_normal(values, seed_from_name("moments"), 0.02F);
  std::array<double, 5> moments{};
  double neighbours = 0, within = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    const double z = values[i] / 0.02;
    double power = 1;
    for (double& moment : moments) {
      moment += power / kSize;
      power *= z;
    }
    if (i > 0) neighbours += z * values[i - 1] / 0.02 / kSize;
    if (std::fabs(z) < 1) within += 1.0 / kSize;
  }
  // Five standard errors each: sqrt(var(z^p) / n), with variances 1, 2, 15, 96.
  EXPECT_NEAR(moments[1], 0, 0.005);
  EXPECT_NEAR(moments[2], 1, 0.0071);
  EXPECT_NEAR(moments[3], 0, 0.0194);
  EXPECT_NEAR(moments[4], 3, 0.049);
  EXPECT_NEAR(neighbours, 0, 0.005);
  EXPECT_NEAR(within, 0.682689, 0.0024);
}

}  // namespace
}  // namespace qassay
