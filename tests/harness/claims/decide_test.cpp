#include "harness/claims/decide.hpp"

#include <gmock/gmock.h>

#include <string>

namespace qassay {
namespace {

// The range is [2, 4] throughout, so that the expectations below read off the number line.
struct Boundary {
  double low, high;
  Outcome higher, lower;  // where higher is better, where lower is better
};

constexpr auto kConfirmed = Outcome::confirmed;
constexpr auto kRefuted = Outcome::refuted;
constexpr auto kBetter = Outcome::better_than_claimed;
constexpr auto kInconclusive = Outcome::inconclusive;

class DecideTest : public testing::TestWithParam<Boundary> {};

TEST_P(DecideTest, SaysWhereTheIntervalLies) {
  const Boundary& at = GetParam();
  const Interval found{(at.low + at.high) / 2, at.low, at.high, 4};
  EXPECT_EQ(decide(found, {2, 4}, Better::higher), at.higher) << at.low << ".." << at.high;
  EXPECT_EQ(decide(found, {2, 4}, Better::lower), at.lower) << at.low << ".." << at.high;
}

INSTANTIATE_TEST_SUITE_P(
    NumberLine, DecideTest,
    testing::Values(Boundary{1.0, 1.9, kRefuted, kBetter},             // wholly below
                    Boundary{1.0, 2.0, kInconclusive, kConfirmed},     // touches low from below
                    Boundary{1.0, 2.1, kInconclusive, kConfirmed},     // straddles low
                    Boundary{1.0, 4.0, kInconclusive, kConfirmed},     // up to high from below
                    Boundary{1.0, 5.0, kInconclusive, kInconclusive},  // wider than the range
                    Boundary{2.0, 3.0, kConfirmed, kConfirmed},        // touches low from inside
                    Boundary{2.5, 3.5, kConfirmed, kConfirmed},        // inside
                    Boundary{2.0, 4.0, kConfirmed, kConfirmed},        // the range itself
                    Boundary{3.0, 4.0, kConfirmed, kConfirmed},        // touches high from inside
                    Boundary{2.0, 5.0, kConfirmed, kInconclusive},     // from low over high
                    Boundary{3.0, 4.1, kConfirmed, kInconclusive},     // straddles high
                    Boundary{4.0, 5.0, kConfirmed, kInconclusive},     // touches high from above
                    Boundary{4.1, 5.0, kBetter, kRefuted}));           // wholly above

INSTANTIATE_TEST_SUITE_P(ExactFigures, DecideTest,
                         testing::Values(Boundary{1.999, 1.999, kRefuted, kBetter},
                                         Boundary{2, 2, kConfirmed, kConfirmed},
                                         Boundary{3, 3, kConfirmed, kConfirmed},
                                         Boundary{4, 4, kConfirmed, kConfirmed},
                                         Boundary{4.001, 4.001, kBetter, kRefuted}));

TEST(DecideExactClaimTest, OneNumberIsARangeOfItself) {
  const ClaimedRange four{4, 4};
  EXPECT_EQ(decide({4, 4, 4, 1}, four, Better::lower), kConfirmed);
  EXPECT_EQ(decide({4.1, 4.1, 4.1, 1}, four, Better::lower), kRefuted);
  EXPECT_EQ(decide({3.9, 3.9, 3.9, 1}, four, Better::lower), kBetter);
  EXPECT_EQ(decide({3.9, 3.9, 3.9, 1}, four, Better::higher), kRefuted);
  EXPECT_EQ(decide({4, 3.9, 4.1, 4}, four, Better::higher), kInconclusive);
}

TEST(DecideNegativeRangeTest, SignsDoNotTurnTheEndsRound) {
  // A loss claimed as a gain of 1 to 2 percent.
  const ClaimedRange gain{-2, -1};
  EXPECT_EQ(decide({-1.5, -1.9, -1.1, 9}, gain, Better::lower), kConfirmed);
  EXPECT_EQ(decide({-0.5, -0.9, -0.1, 9}, gain, Better::lower), kRefuted);
  EXPECT_EQ(decide({-3, -3.5, -2.5, 9}, gain, Better::lower), kBetter);
}

}  // namespace
}  // namespace qassay
