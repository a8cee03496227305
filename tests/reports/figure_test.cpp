#include "reports/figure.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qassay {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FigureTest, LetsTheIntervalDecideTheDigits) {
  EXPECT_EQ(figure_text({3.0987, 2.9234, 3.2812}, "ratio"), "3.10× (2.92–3.28)");
  EXPECT_EQ(figure_text({5.6, 5.4, 5.8}, "x"), "5.6× (5.4–5.8)");
  EXPECT_EQ(figure_text({0.9, 0.88, 0.92}, "ratio"), "0.90× (0.88–0.92)");
  EXPECT_EQ(figure_text({150, 130, 170}, "samples"), "150 samples (130–170)");
}

TEST(FigureTest, KeepsAtMostFourDigits) {
  EXPECT_EQ(figure_text({0.859271, 0.859269, 0.859273}, "fraction"), "85.93 % (85.93–85.93)");
  EXPECT_EQ(figure_text({12345.678, 12345.678, 12345.678}, ""), "12346");
}

TEST(FigureTest, ScalesTimesAndBytes) {
  EXPECT_EQ(figure_text({412.3e-6, 405.1e-6, 420.2e-6}, "seconds"), "412 µs (405–420)");
  EXPECT_EQ(figure_text({2.5e-3, 2.5e-3, 2.5e-3}, "s"), "2.5 ms");
  EXPECT_EQ(figure_text({3e-8, 3e-8, 3e-8}, "s"), "30 ns");
  EXPECT_EQ(figure_text({12.0 * 1024 * 1024, 12.0 * 1024 * 1024, 12.0 * 1024 * 1024}, "bytes"),
            "12 MiB");
  EXPECT_EQ(figure_text({0.516, 0.516, 0.516}, "bytes"), "0.516 B");
}

TEST(FigureTest, ScalesRates) {
  EXPECT_EQ(span_text(15.2e9, 15.2e9, "B/s"), "15.2 GB/s");
  EXPECT_EQ(span_text(612e9, 612e9, "op/s"), "612 GOP/s");
  EXPECT_EQ(span_text(1.3e12, 1.3e12, "op/s"), "1.30 TOP/s");
  EXPECT_EQ(span_text(53e6, 53e6, "B/s"), "53.0 MB/s");
}

TEST(FigureTest, WritesNegativeEndsSoThatTheyCanBeRead) {
  EXPECT_EQ(figure_text({-0.02, -0.18, 0.14}, "percent"), "−0.02 % (−0.18 to 0.14)");
  EXPECT_EQ(figure_text({-0.0001, -0.2, 0.2}, "%"), "0.0 % (−0.2 to 0.2)") << "no negative zero";
}

TEST(FigureTest, ShowsADashForWhatIsNoNumber) {
  EXPECT_EQ(figure_text({std::nan(""), 0, 1}, "ratio"), "–");
  EXPECT_EQ(figure_text({kInfinity, kInfinity, kInfinity}, "dB"), "–");
}

TEST(FigureTest, WritesClaimedRanges) {
  EXPECT_EQ(range_text(2, 4, "ratio"), "2–4×");
  EXPECT_EQ(range_text(1.5, 2, "x"), "1.5–2×");
  EXPECT_EQ(range_text(2, kInfinity, "ratio"), "at least 2×");
  EXPECT_EQ(range_text(-kInfinity, 1, "percent"), "at most 1 %");
  EXPECT_EQ(range_text(-kInfinity, kInfinity, "percent"), "any");
  EXPECT_EQ(range_text(3.5, 3.5, "GB"), "3.5 GB");
  EXPECT_EQ(range_text(-1, 1, "%"), "−1 to 1 %");
}

TEST(FigureTest, WritesSpansWithTheSameDecimalsAtBothEnds) {
  EXPECT_EQ(span_text(0.9, 2.02, "ratio"), "0.90–2.02×");
  EXPECT_EQ(span_text(3, 3, "ratio"), "3.00×");
}

}  // namespace
}  // namespace qassay
