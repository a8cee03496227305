#include "quantizers/value_histogram.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/seed.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

/// Of both signs, with zeros, small ones first: the range grows on the way.
std::vector<float> growing_values(std::size_t size) {
  std::vector<float> values(size);
  fill_normal(values, seed_from_name("histogram"), 1.0F);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] *= i % 7 == 0 ? 0.0F : std::ldexp(1.0F, static_cast<int>(i * 40 / size));
  }
  return values;
}

ValueHistogram histogram_of(const std::vector<float>& values, std::size_t batch) {
  ValueHistogram histogram;
  for (std::size_t i = 0; i < values.size(); i += batch) {
    histogram.add(values.data() + i, static_cast<std::int64_t>(std::min(batch, values.size() - i)));
  }
  return histogram;
}

std::int64_t counted(const std::vector<std::int64_t>& bins) {
  return std::accumulate(bins.begin(), bins.end(), std::int64_t{0});
}

TEST(ValueHistogramTest, EveryValueIsInItsBin) {
  const std::vector<float> values = growing_values(2000);
  const ValueHistogram histogram = histogram_of(values, 2000);
  const double width = histogram.width();
  std::vector<std::int64_t> positive(ValueHistogram::kBins), negative(ValueHistogram::kBins);
  std::int64_t zeros = 0;
  for (const float x : values) {
    if (x == 0) {
      ++zeros;
      continue;
    }
    ++(x > 0 ? positive : negative).at(static_cast<std::size_t>(std::fabs(x) / width));
  }
  EXPECT_EQ(histogram.positive(), positive);
  EXPECT_EQ(histogram.negative(), negative);
  EXPECT_EQ(histogram.zeros(), zeros);
  EXPECT_EQ(histogram.count(), 2000);
  EXPECT_EQ(histogram.range().min, *std::min_element(values.begin(), values.end()));
  EXPECT_EQ(histogram.range().max, *std::max_element(values.begin(), values.end()));
  const double largest = std::max(-histogram.range().min, histogram.range().max);
  EXPECT_LT(largest, width * ValueHistogram::kBins);
  EXPECT_GE(largest, width * ValueHistogram::kBins / 2) << "not the least power of two";
}

// P08
TEST(ValueHistogramTest, BatchesThreadsAndOrderDoNotMatter) {
  std::vector<float> values = growing_values(3000);
  const ValueHistogram whole = histogram_of(values, values.size());
  for (const std::size_t batch : {1U, 7U, 100U}) EXPECT_EQ(histogram_of(values, batch), whole);
  ValueHistogram merged = histogram_of({values.begin(), values.begin() + 1000}, 10);
  merged.merge(histogram_of({values.begin() + 1000, values.end()}, 13));
  EXPECT_EQ(merged, whole);
  ValueHistogram backwards = histogram_of({values.begin() + 1000, values.end()}, 13);
  backwards.merge(histogram_of({values.begin(), values.begin() + 1000}, 10));
  EXPECT_EQ(backwards, whole);
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(histogram_of(values, 100), whole);
}

TEST(ValueHistogramTest, ManyValuesAreCountedInParallel) {
  const std::vector<float> values = growing_values(1 << 20);
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const ValueHistogram one = histogram_of(values, values.size());
  omp_set_num_threads(4);
  const ValueHistogram four = histogram_of(values, values.size());
  omp_set_num_threads(before);
  EXPECT_EQ(one, four);
  EXPECT_EQ(counted(one.positive()) + counted(one.negative()) + one.zeros(), 1 << 20);
}

TEST(ValueHistogramTest, TheMirrorImageIsThatOfNegatedValues) {
  std::vector<float> values = growing_values(500);
  const ValueHistogram plain = histogram_of(values, 500);
  for (float& x : values) x = -x;
  const ValueHistogram mirrored = histogram_of(values, 500);
  EXPECT_EQ(mirrored.positive(), plain.negative());
  EXPECT_EQ(mirrored.negative(), plain.positive());
  EXPECT_EQ(mirrored.width(), plain.width());
}

TEST(ValueHistogramTest, ZerosAndExtremesOfFp32AreSafe) {
  ValueHistogram histogram;
  const std::vector<float> zeros(10);
  histogram.add(zeros.data(), 0);
  EXPECT_EQ(histogram.count(), 0);
  histogram.add(zeros.data(), 10);  // a first batch without a range
  EXPECT_EQ(histogram.width(), 0);
  EXPECT_EQ(histogram.zeros(), 10);
  const std::vector<float> tiny{0x1p-149F, -0x1p-149F, FLT_MIN};
  histogram.add(tiny.data(), 3);
  const std::vector<float> huge{FLT_MAX, -FLT_MAX, 1};
  histogram.add(huge.data(), 3);
  EXPECT_EQ(histogram.count(), 16);
  EXPECT_EQ(histogram.positive().front(), 3);  // 2^-149, the least normal number, and one
  EXPECT_EQ(histogram.negative().front(), 1);
  EXPECT_EQ(histogram.positive().back(), 1);
  EXPECT_EQ(histogram.negative().back(), 1);
  EXPECT_EQ(histogram.width(), 0x1p115);
}

TEST(ValueHistogramTest, RefusesWhatIsNotFinite) {
  ValueHistogram histogram("input of conv1");
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> values{1, bad, 2};
    try {
      histogram.add(values.data(), 3);
      FAIL() << "accepted";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("input of conv1: a value is not a finite number"));
    }
  }
  EXPECT_EQ(histogram.count(), 0);
}

}  // namespace
}  // namespace qassay
