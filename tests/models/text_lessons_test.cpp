#include <gmock/gmock.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "models/train/lessons.hpp"

namespace qassay {
namespace {

TrainingText text_of(std::string bytes) {
  TrainingText text;
  text.name = "test";
  text.hash = "0";
  text.text = std::move(bytes);
  return text;
}

/// Bytes count up, so that a window tells where it begins.
std::string counting(int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(TextLessonsTest, WindowsBeginWithinTheirOwnAndEndWithinTheText) {
  const TrainingText text = text_of(counting(101));
  TextLessons lessons(text, 10);
  ASSERT_EQ(lessons.count(), 9);
  std::vector<float> x(10);
  std::set<float> begins;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (std::int64_t sample = 0; sample < lessons.count(); ++sample) {
      lessons.fill({&sample, 1}, seed, {x.data(), 1, 10});
      ASSERT_GE(x[0], sample * 10);
      ASSERT_LT(x[0], sample * 10 + 10);
      for (std::size_t i = 1; i < x.size(); ++i) ASSERT_EQ(x[i], x[0] + static_cast<float>(i));
      begins.insert(x[0]);
    }
  }
  EXPECT_EQ(begins.size(), 90U);
}

TEST(TextLessonsTest, WantsTheNextByte) {
  const TrainingText text = text_of(counting(64));
  TextLessons lessons(text, 4);
  std::vector<float> x(8);
  const std::vector<std::int64_t> samples{2, 5};
  lessons.fill(samples, 1, {x.data(), 2, 4});
  std::vector<float> logits(static_cast<std::size_t>(2 * lessons.outputs()));
  std::vector<float> slope(logits.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    logits[i * 256 + static_cast<std::size_t>(x[i]) + 1] = 50;
  const Outcome good =
      lessons.judge({logits.data(), 2, lessons.outputs()}, {slope.data(), 2, lessons.outputs()});
  EXPECT_NEAR(good.loss, 0, 1e-12);
  EXPECT_EQ(good.right, 1);
  logits.assign(logits.size(), 0);
  const Outcome blank =
      lessons.judge({logits.data(), 2, lessons.outputs()}, {slope.data(), 2, lessons.outputs()});
  EXPECT_NEAR(blank.loss, std::log(256.0), 1e-9);
}

TEST(TextLessonsTest, RefusesATextThatIsTooShort) {
  EXPECT_NO_THROW(TextLessons(text_of(counting(21)), 10));
  EXPECT_THROW(TextLessons(text_of(counting(20)), 10), InputError);
  EXPECT_THROW(TextLessons(text_of(""), 10), InputError);
}

}  // namespace
}  // namespace qassay
