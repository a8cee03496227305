#include "datasets/calibration.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <vector>

namespace qassay {
namespace {

static_assert(std::is_invocable_v<decltype(draw_calibration_set), TrainingSet, std::int64_t,
                                  std::string_view>);
static_assert(
    !std::is_invocable_v<decltype(draw_calibration_set), TestSet, std::int64_t, std::string_view>,
    "what calibrates must not take test data");

/// Samples that all differ, each labelled by what it is.
TrainingSet training_set(std::int64_t count) {
  TrainingSet set;
  set.name = "numbers/train";
  set.hash = "hash of numbers";
  set.count = count;
  set.height = 1;
  set.width = set.features = 2;
  set.classes = 7;
  for (std::int64_t i = 0; i < count; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(i / 256));
    set.pixels.push_back(static_cast<std::uint8_t>(i % 256));
    set.labels.push_back(static_cast<std::uint8_t>(i % 7));
  }
  return set;
}

/// Which samples of training_set() a set holds; every one must be whole.
std::vector<std::int64_t> samples_of(const ClassificationSet& set) {
  EXPECT_EQ(set.pixels.size(), static_cast<std::size_t>(2 * set.count));
  EXPECT_EQ(set.labels.size(), static_cast<std::size_t>(set.count));
  std::vector<std::int64_t> samples;
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    samples.push_back(256 * set.pixels[2 * i] + set.pixels[2 * i + 1]);
    EXPECT_EQ(set.labels[i], samples.back() % 7);
  }
  return samples;
}

TEST(CalibrationTest, DrawsDifferentTrainingSamplesWithTheirLabels) {
  const CalibrationSet set = draw_calibration_set(training_set(1000), 300, "a");
  const std::vector<std::int64_t> samples = samples_of(set);
  EXPECT_EQ(samples.size(), 300U);
  const std::set<std::int64_t> different(samples.begin(), samples.end());
  EXPECT_EQ(different.size(), 300U);
  EXPECT_GE(*different.begin(), 0);
  EXPECT_LT(*different.rbegin(), 1000);
  // From all over: a run of 1000 without one drawn is at most some dozen long.
  EXPECT_LT(*different.begin(), 50);
  EXPECT_GT(*different.rbegin(), 950);
  EXPECT_EQ(set.height, 1);
  EXPECT_EQ(set.width, 2);
  EXPECT_EQ(set.features, 2);
  EXPECT_EQ(set.classes, 7);
  EXPECT_EQ(set.name, "numbers/train/calibration");
}

TEST(CalibrationTest, DependsOnTheSeed) {
  const TrainingSet training = training_set(500);
  const std::vector<std::int64_t> samples = samples_of(draw_calibration_set(training, 40, "a"));
  EXPECT_EQ(samples_of(draw_calibration_set(training, 40, "a")), samples);
  EXPECT_NE(samples_of(draw_calibration_set(training, 40, "b")), samples);
}

TEST(CalibrationTest, FewerSamplesAreTheFirstOfMore) {
  const TrainingSet training = training_set(500);
  const std::vector<std::int64_t> many = samples_of(draw_calibration_set(training, 40, "a"));
  const std::vector<std::int64_t> few = samples_of(draw_calibration_set(training, 7, "a"));
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

TEST(CalibrationTest, TakesAllWhereMoreAreAskedFor) {
  const TrainingSet training = training_set(20);
  const CalibrationSet set = draw_calibration_set(training, 21, "a");
  std::vector<std::int64_t> samples = samples_of(set);
  std::ranges::sort(samples);
  ASSERT_EQ(samples.size(), 20U);
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_EQ(samples[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(set.count, 20);
  EXPECT_EQ(set.hash, draw_calibration_set(training, 20, "a").hash);
  EXPECT_EQ(draw_calibration_set(training, 0, "a").count, 0);
}

TEST(CalibrationTest, TheHashNamesTrainingSetCountAndSeed) {
  const TrainingSet training = training_set(100);
  const std::string hash = draw_calibration_set(training, 10, "a").hash;
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(draw_calibration_set(training, 10, "a").hash, hash);
  EXPECT_NE(draw_calibration_set(training, 11, "a").hash, hash);
  EXPECT_NE(draw_calibration_set(training, 10, "b").hash, hash);
  TrainingSet other = training;
  other.hash = "hash of others";
  EXPECT_NE(draw_calibration_set(other, 10, "a").hash, hash);
}

}  // namespace
}  // namespace qassay
