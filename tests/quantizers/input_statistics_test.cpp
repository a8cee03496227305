#include "quantizers/input_statistics.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "tests/quantizers/layer_sample.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

std::vector<float> sample_values(const InputStatistics& statistics) {
  const ConstMatrix sample = statistics.sample();
  return {sample.data, sample.data + sample.rows * sample.cols};
}

TEST(InputStatisticsTest, FindsTheMagnitudesOfChannels) {
  const std::vector<float> x{1, -2, 0, -3, 0.5F, 0, 2, -0.5F, 0};
  InputStatistics statistics(3);
  EXPECT_EQ(statistics.mean_magnitudes(), (std::vector<float>{0, 0, 0}));
  statistics.add({x.data(), 3, 3});
  EXPECT_EQ(statistics.rows(), 3);
  EXPECT_EQ(statistics.mean_magnitudes(), (std::vector<float>{2, 1, 0}));
  EXPECT_EQ(statistics.largest_magnitudes(), (std::vector<float>{3, 2, 0}));
  EXPECT_EQ(sample_values(statistics), x);
}

TEST(InputStatisticsTest, BatchesAndThreadsDoNotMatter) {
  const LayerSample layer(1, 130, 100, 0.5, "statistics");
  InputStatistics whole(layer.k, "calibration", 20);
  whole.add(layer.x());
  const int before = omp_get_max_threads();
  for (const std::int64_t batch : {1, 7, 64}) {
    omp_set_num_threads(static_cast<int>(batch % 5) + 1);
    InputStatistics parts(layer.k, "calibration", 20);
    for (std::int64_t row = 0; row < layer.m; row += batch) {
      parts.add({layer.x().row(row), std::min(batch, layer.m - row), layer.k});
    }
    EXPECT_EQ(parts.rows(), layer.m);
    EXPECT_EQ(parts.mean_magnitudes(), whole.mean_magnitudes());
    EXPECT_EQ(parts.largest_magnitudes(), whole.largest_magnitudes());
    EXPECT_EQ(sample_values(parts), sample_values(whole));
  }
  omp_set_num_threads(before);
}

// 60 of 600 rows: of each sixth of them about 10, with a deviation of 2.8.
TEST(InputStatisticsTest, SamplesRowsFromEverywhereOnce) {
  std::vector<float> x(600);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  InputStatistics statistics(1, "calibration", 60);
  statistics.add({x.data(), 600, 1});
  std::vector<float> sample = sample_values(statistics);
  ASSERT_EQ(sample.size(), 60U);
  std::sort(sample.begin(), sample.end());
  EXPECT_EQ(std::adjacent_find(sample.begin(), sample.end()), sample.end());
  std::map<int, int> sixths;
  for (const float row : sample) ++sixths[static_cast<int>(row) / 100];
  ASSERT_EQ(sixths.size(), 6U);
  for (const auto& [sixth, count] : sixths) EXPECT_NEAR(count, 10, 9) << sixth;
}

TEST(InputStatisticsTest, NamesTheInputThatIsNotFinite) {
  std::vector<float> x(12, 1.0F);
  InputStatistics statistics(4, "input of fc1");
  statistics.add({x.data(), 3, 4});
  x[6] = std::numeric_limits<float>::quiet_NaN();
  try {
    statistics.add({x.data(), 3, 4});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("input of fc1, row 4, input 2: nan is not a finite number"));
  }
}

}  // namespace
}  // namespace qassay
