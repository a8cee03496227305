#include "quantizers/range_choice.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/grid.hpp"
#include "core/seed.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

ValueHistogram counted_values(const std::vector<float>& values) {
  ValueHistogram histogram;
  histogram.add(values.data(), static_cast<std::int64_t>(values.size()));
  return histogram;
}

Extremes chosen(const std::vector<float>& values, const char* choice) {
  return choose_range(counted_values(values), parse_range_choice(choice));
}

/// What layers see: both signs, none below zero, a small negative lobe; all with some far outliers.
std::vector<std::vector<float>> samples_with_outliers() {
  std::vector<float> both(50000);
  fill_normal(both, seed_from_name("outliers"), 1.0F);
  for (std::size_t i = 0; i < 5; ++i) both[i] *= 20;
  std::vector<float> relu = both, silu = both;
  for (float& x : relu) x = std::max(x, 0.0F);
  for (float& x : silu) x = x / (1 + std::exp(-x));
  std::vector<float> negative = relu;
  for (float& x : negative) x = -x;
  return {both, relu, silu, negative};
}

const std::vector<std::string> kChoices{"minmax", "percentile-99.99", "percentile-99.9", "mse",
                                        "entropy"};

TEST(RangeChoiceTest, ParsesWhatItPrints) {
  for (const char* text :
       {"minmax", "percentile-99.99", "percentile-100", "percentile-0.5", "mse", "entropy"}) {
    EXPECT_EQ(to_string(parse_range_choice(text)), text);
  }
  EXPECT_EQ(parse_range_choice("minmax"), RangeChoice{});
  for (const char* text :
       {"", "max", "percentile", "percentile-", "percentile-0", "percentile-100.1", "percentile--1",
        "percentile-nan", "percentile-99.90", "percentile-9x", "mse "}) {
    try {
      parse_range_choice(text, "suite.toml: ranges");
      ADD_FAILURE() << text << " accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("suite.toml: ranges: range '"));
    }
  }
}

// P08
TEST(RangeChoiceTest, RangesLieWithinTheValuesAndHoldZero) {
  for (const std::vector<float>& values : samples_with_outliers()) {
    const Extremes all = counted_values(values).range();
    for (const std::string& choice : kChoices) {
      const Extremes range = chosen(values, choice.c_str());
      EXPECT_GE(range.min, all.min) << choice;
      EXPECT_LE(range.max, all.max) << choice;
      EXPECT_LE(range.min, 0) << choice;
      EXPECT_GE(range.max, 0) << choice;
      if (all.min == 0) {
        EXPECT_EQ(range.min, 0) << choice;
      }
      if (all.max == 0) {
        EXPECT_EQ(range.max, 0) << choice;
      }
    }
    for (const char* choice : {"minmax", "percentile-100"}) {
      EXPECT_EQ(chosen(values, choice).min, all.min);
      EXPECT_EQ(chosen(values, choice).max, all.max);
    }
  }
}

TEST(RangeChoiceTest, OutliersAreCutOff) {
  for (const std::vector<float>& values : samples_with_outliers()) {
    const Extremes all = counted_values(values).range();
    EXPECT_LT(chosen(values, "mse").max - chosen(values, "mse").min, all.max - all.min);
    for (const char* choice : {"percentile-99.9", "entropy"}) {
      const Extremes range = chosen(values, choice);
      EXPECT_LT(range.max - range.min, (all.max - all.min) / 2) << choice;
      EXPECT_GT(range.max - range.min, 2) << choice;
    }
  }
}

// The least end of a bin with that share of the magnitudes below it.
TEST(RangeChoiceTest, PercentilesHoldTheirShare) {
  for (const std::vector<float>& values : samples_with_outliers()) {
    for (const double percent : {10.0, 50.0, 99.0, 99.9, 99.99}) {
      const RangeChoice choice{RangeRule::percentile, percent};
      const ValueHistogram histogram = counted_values(values);
      const Extremes range = choose_range(histogram, choice);
      const double t = std::max(-double{range.min}, double{range.max});
      const auto share_below = [&](double threshold) {
        return 100 *
               static_cast<double>(
                   std::count_if(values.begin(), values.end(),
                                 [&](float x) { return std::fabs(x) < threshold || x == 0; })) /
               static_cast<double>(values.size());
      };
      EXPECT_GE(share_below(t + histogram.width()), percent);
      if (t > 0) {
        EXPECT_LT(share_below(t - histogram.width()), percent);
      }
    }
  }
}

// P07, on the values themselves, which are within half a bin, a 32nd of a step, of its middle.
TEST(RangeChoiceTest, NoRangeTriedHasALessSquaredErrorThanTheChosenOne) {
  for (const std::vector<float>& values : samples_with_outliers()) {
    const ValueHistogram histogram = counted_values(values);
    const Extremes best = choose_range(histogram, {RangeRule::mse});
    const double least = squared_error_of_range(histogram, best);
    for (const std::string& choice : kChoices) {
      const Extremes range = chosen(values, choice.c_str());
      // Other choices' thresholds lie between those that were tried.
      EXPECT_LE(least, 1.01 * squared_error_of_range(histogram, range)) << choice;
    }
    EXPECT_LE(least, squared_error_of_range(histogram, histogram.range()));
    const auto error_of = [&](Extremes range) {
      const Grid grid = asymmetric_grid(range.min, range.max, 8, DType::f32);
      double sum = 0;
      for (const float x : values) {
        const double error = double{x} - grid.value(grid.code(x));
        sum += error * error;
      }
      return sum / static_cast<double>(values.size());
    };
    EXPECT_NEAR(error_of(best) / least, 1, 0.1);
    EXPECT_LT(error_of(best), error_of(histogram.range()));
  }
}

// P08. Of the mean squared error within a step of the search, for the zero of a grid is rounded.
TEST(RangeChoiceTest, MirrorImagesHaveMirroredRanges) {
  for (std::vector<float> values : samples_with_outliers()) {
    std::vector<Extremes> plain;
    for (const std::string& choice : kChoices) plain.push_back(chosen(values, choice.c_str()));
    const Extremes all = counted_values(values).range();
    const double step = std::max(-all.min, all.max) / 512;
    for (float& x : values) x = -x;
    for (std::size_t i = 0; i < kChoices.size(); ++i) {
      const Extremes mirrored = chosen(values, kChoices[i].c_str());
      const double tolerance = kChoices[i] == "mse" ? step : 0;
      EXPECT_NEAR(mirrored.max, -plain[i].min, tolerance) << kChoices[i];
      EXPECT_NEAR(mirrored.min, -plain[i].max, tolerance) << kChoices[i];
    }
  }
}

// 256 cells up to 1, every other one nearly empty, and one value at 8: the 256 levels up to 1 keep
// the pattern, wider ones blur it, and narrower ones cut half of the values off for nothing.
TEST(RangeChoiceTest, EntropyKeepsThePatternOfTheValues) {
  std::vector<float> values;
  for (int i = 0; i < 256 * 192; ++i) {
    const int cell = i / 192;
    if (cell % 2 == 0 || i % 16 == 0)
      values.push_back((static_cast<float>(i) + 0.5F) / (256 * 192));
  }
  const float largest = values.back();
  EXPECT_EQ(chosen(values, "entropy").max, largest);
  values.push_back(8);
  EXPECT_EQ(chosen(values, "entropy").min, 0);
  EXPECT_EQ(chosen(values, "entropy").max, 1);
}

TEST(RangeChoiceTest, FewOrNoValuesHaveARange) {
  for (const std::string& choice : kChoices) {
    for (const std::vector<float>& values :
         {std::vector<float>{}, std::vector<float>{0, 0}, std::vector<float>{3},
          std::vector<float>{-1e-40F, 2e-40F}, std::vector<float>{-3e38F, 3e38F}}) {
      const Extremes range = chosen(values, choice.c_str());
      EXPECT_TRUE(std::isfinite(range.min) && std::isfinite(range.max)) << choice;
      EXPECT_LE(range.min, range.max);
    }
  }
  EXPECT_EQ(chosen({3}, "entropy").max, 3);
  EXPECT_EQ(squared_error_of_range(ValueHistogram(), {0, 0}), 0);
}

}  // namespace
}  // namespace qassay
