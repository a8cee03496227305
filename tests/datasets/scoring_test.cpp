#include "datasets/scoring.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <stdexcept>

namespace qassay {
namespace {

using ::testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
using Bytes = std::vector<std::uint8_t>;

TEST(ScoringTest, PredictsTheLargestAndTheLowestIndexOfEquals) {
  const std::vector<float> outputs{0,     2,     1,   //
                                   5,     5,     5,   //
                                   -3,    -1,    -1,  //
                                   -kInf, kInf,  0,   //
                                   -kInf, -kInf, -kInf};
  EXPECT_THAT(predict(ConstMatrix(outputs.data(), 5, 3)), ElementsAre(1, 0, 1, 1, 0));
}

TEST(ScoringTest, PredictsNothingWhereAnOutputIsNaN) {
  const std::vector<float> outputs{kNan, 2, 1, 0, kNan, 1, 0, 1, kNan, 0, 1, 2};
  EXPECT_THAT(predict(ConstMatrix(outputs.data(), 4, 3)),
              ElementsAre(kNoPrediction, kNoPrediction, kNoPrediction, 2));
}

TEST(ScoringTest, ReadsRowsByTheirStride) {
  const std::vector<float> outputs{1, 0, 99, 0, 1, 99};
  EXPECT_THAT(predict(ConstMatrix(outputs.data(), 2, 2, 3)), ElementsAre(0, 1));
}

TEST(ScoringTest, Top1CountsNoPredictionAsWrong) {
  EXPECT_DOUBLE_EQ(top1(Bytes{1, 2, 3, kNoPrediction}, Bytes{1, 2, 0, 0}), 0.5);
  // Even where a label had the same number.
  EXPECT_DOUBLE_EQ(top1(Bytes{kNoPrediction}, Bytes{kNoPrediction}), 0.0);
}

TEST(ScoringTest, CountsPairs) {
  //                  both right  lost  won  wrong alike  wrong differently  none twice
  const Bytes labels{0, 0, 1, 1, 2, 2, 3};
  const Bytes baseline{0, 0, 1, 0, 1, 1, kNoPrediction};
  const Bytes candidate{0, 0, 2, 1, 1, 0, kNoPrediction};
  const PredictionPairs pairs = compare_predictions(baseline, candidate, labels);
  const PairedCounts& counts = pairs.outcomes;
  EXPECT_EQ(counts.both_right, 2);
  EXPECT_EQ(counts.lost, 1);
  EXPECT_EQ(counts.won, 1);
  EXPECT_EQ(counts.both_wrong, 3);
  EXPECT_EQ(pairs.agreeing, 3);
  EXPECT_EQ(counts.total(), 7);
}

TEST(ScoringTest, SwappingTheTwoSwapsLostAndWon) {
  const Bytes labels{0, 1, 2, 3};
  const Bytes one{0, 1, 0, 0};
  const Bytes other{1, 1, 2, 3};
  const PairedCounts there = compare_predictions(one, other, labels).outcomes;
  const PairedCounts back = compare_predictions(other, one, labels).outcomes;
  EXPECT_EQ(there.lost, 1);
  EXPECT_EQ(there.won, 2);
  EXPECT_EQ(back.lost, there.won);
  EXPECT_EQ(back.won, there.lost);
}

TEST(ScoringTest, RefusesNothingAndUnequalSizes) {
  EXPECT_THROW(top1({}, {}), std::invalid_argument);
  EXPECT_THROW(top1(Bytes{1}, Bytes{1, 2}), std::invalid_argument);
  EXPECT_THROW(compare_predictions(Bytes{1, 2}, Bytes{1}, Bytes{1, 2}), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
