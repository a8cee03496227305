#include "kernels/own/team.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace qassay::own {
namespace {

int fastest(std::map<int, double> seconds, int most) {
  return fastest_team(most, [&](int threads) { return seconds.at(threads); });
}

TEST(FastestTeam, IsTheOneThatTakesLeastTime) {
  EXPECT_EQ(fastest({{1, 8.0}, {2, 4.5}, {4, 3.0}, {8, 3.5}}, 8), 4);
  EXPECT_EQ(fastest({{1, 8.0}, {2, 9.0}, {4, 5.0}}, 4), 4);
}

TEST(FastestTeam, IsOneThreadWhereMoreOnlyGetInTheWay) {
  EXPECT_EQ(fastest({{1, 1.0}, {2, 2.0}, {4, 3.0}}, 4), 1);
}

TEST(FastestTeam, StaysSmallForLessThanATwentieth) {
  EXPECT_EQ(fastest({{1, 1.0}, {2, 0.96}}, 2), 1);
  EXPECT_EQ(fastest({{1, 1.0}, {2, 0.94}}, 2), 2);
}

TEST(FastestTeam, TriesPowersOfTwoAndAll) {
  std::vector<int> tried;
  const auto record = [&](int threads) {
    tried.push_back(threads);
    return 1.0;
  };
  fastest_team(6, record);
  EXPECT_EQ(tried, (std::vector<int>{1, 2, 4, 6}));
  tried.clear();
  fastest_team(1, record);
  EXPECT_EQ(tried, (std::vector<int>{1}));
}

}  // namespace
}  // namespace qassay::own
