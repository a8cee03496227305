#include "harness/worker/timer.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace qassay {
namespace {

constexpr Timing kTiming{.round_seconds = 0.016, .warmup_seconds = 0};

/// Work on a device whose calls take `seconds` by its clock.
Work on_device(double seconds, std::vector<std::int64_t>& batches) {
  return {.call = [] { FAIL() << "is timed by the device"; },
          .before = [](std::int64_t) { FAIL() << "is prepared by the device"; },
          .on_device =
              [seconds, &batches](std::int64_t calls) {
                batches.push_back(calls);
                return seconds;
              }};
}

TEST(TimerTest, AsksTheDevicesClock) {
  std::vector<std::int64_t> batches;
  const Work work = on_device(1e-4, batches);
  const Timer timer(kTiming);
  const Pace pace = timer.find_pace(work);
  EXPECT_EQ(pace.iterations, 8);  // batches of 0.8 ms
  EXPECT_EQ(pace.batches, 20);

  batches.clear();
  const RoundTime time = timer.time_round(work, pace);
  EXPECT_EQ(batches, std::vector<std::int64_t>(20, 8));
  EXPECT_EQ(time.q25, 1e-4);
  EXPECT_EQ(time.median, 1e-4);
}

TEST(TimerTest, ACallThatFillsARoundIsMadeOnce) {
  std::vector<std::int64_t> batches;
  const Work work = on_device(1, batches);
  const Timer timer(kTiming);
  const Pace pace = timer.find_pace(work);
  EXPECT_EQ(pace.iterations * pace.batches, 1);
  batches.clear();
  EXPECT_EQ(timer.time_round(work, pace).median, 1);
  EXPECT_EQ(batches, std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace qassay
