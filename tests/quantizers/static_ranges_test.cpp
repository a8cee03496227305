#include "quantizers/static_ranges.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/evaluate.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kFeatures = 9 * 7 * 4;

CalibrationSet noise(std::int64_t count) {
  CalibrationSet set;
  set.name = "noise/train/calibration";
  set.count = count;
  set.features = kFeatures;
  set.classes = 5;
  Random random(1);
  for (std::int64_t i = 0; i < count * kFeatures; ++i)
    set.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  set.labels.resize(static_cast<std::size_t>(count));
  return set;
}

void expect_equal(const std::vector<Grid>& got, const std::vector<Grid>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t layer = 0; layer < got.size(); ++layer) {
    EXPECT_EQ(got[layer].scale, wanted[layer].scale) << layer;
    EXPECT_EQ(got[layer].zero, wanted[layer].zero) << layer;
    EXPECT_EQ(got[layer].low, wanted[layer].low) << layer;
    EXPECT_EQ(got[layer].high, wanted[layer].high) << layer;
  }
}

std::vector<Grid> grids_of(const Model& model, const CalibrationSet& set, std::int64_t batch,
                           const char* choice = "minmax") {
  PackedModel packed(model, batch);
  return static_input_grids(packed.executor(), layer_shapes(model.graph).size(), set,
                            parse_range_choice(choice));
}

/// x = pixels / 255 through a layer of one weight, -2: the second layer sees -2 x + 0.5.
TEST(StaticRangesTest, AGridReachesFromTheSmallestToTheLargestInput) {
  Model model = drawn_model(
      {{1, 1, 1}, {{"a", Linear{.outputs = 1}, {0}}, {"b", Linear{.outputs = 1}, {1}}}});
  model.parameters.at("a.weight").values = {-2};
  model.parameters.at("a.bias").values = {0.5F};
  CalibrationSet set;
  set.count = 4;
  set.features = set.classes = 1;
  set.pixels = {51, 204, 102, 153};  // 0.2 to 0.8, and 0.1 to -1.1 behind the first layer
  set.labels.resize(4);
  const std::vector<Grid> grids = grids_of(model, set, 3);
  ASSERT_EQ(grids.size(), 2U);
  EXPECT_FLOAT_EQ(grids[0].scale, 0.8F / 255);  // a range has 0 in it
  EXPECT_EQ(grids[0].zero, 0);
  EXPECT_FLOAT_EQ(grids[1].scale, 1.2F / 255);
  EXPECT_EQ(grids[1].zero, 234);  // 1.1 / 1.2 * 255 = 233.75
  EXPECT_EQ(grids[1].low, 0);
  EXPECT_EQ(grids[1].high, 255);
}

TEST(StaticRangesTest, GridsAreThoseOfTheExtremesOverAllSamples) {
  const Model model = drawn_model(residual_net());
  const CalibrationSet set = noise(10);
  // By hand: the extremes of each sample alone, then over the samples.
  const std::size_t layers = layer_shapes(model.graph).size();
  std::vector<float> least(layers, 0), most(layers, 0);
  PackedModel packed(model, 1);
  packed.executor().set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix) {
    for (std::int64_t i = 0; i < input.cols; ++i) {
      least[layer] = std::min(least[layer], input.data[i]);
      most[layer] = std::max(most[layer], input.data[i]);
    }
  });
  predict(packed.executor(), set);
  std::vector<Grid> wanted;
  for (std::size_t layer = 0; layer < layers; ++layer)
    wanted.push_back(asymmetric_grid(least[layer], most[layer], 8, DType::f32));
  expect_equal(grids_of(model, set, 4), wanted);
}

TEST(StaticRangesTest, GridsAreThoseOfTheChosenRangesOfAllValues) {
  const Model model = drawn_model(residual_net());
  const CalibrationSet set = noise(10);
  std::vector<ValueHistogram> values(layer_shapes(model.graph).size());
  PackedModel packed(model, 1);
  packed.executor().set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix) {
    values[layer].add(input.data, input.cols);
  });
  predict(packed.executor(), set);
  for (const char* choice : {"percentile-99", "mse", "entropy", "percentile-100"}) {
    std::vector<Grid> wanted;
    for (const ValueHistogram& layer : values) {
      const Extremes range = choose_range(layer, parse_range_choice(choice));
      wanted.push_back(asymmetric_grid(range.min, range.max, 8, DType::f32));
    }
    for (const std::int64_t batch : {1, 4, 16}) {
      expect_equal(grids_of(model, set, batch, choice), wanted);
    }
  }
  expect_equal(grids_of(model, set, 4, "percentile-100"), grids_of(model, set, 4));
}

TEST(StaticRangesTest, DependOnNeitherTheBatchNorTheOrderOfTheSamples) {
  const Model model = drawn_model(residual_net());
  const CalibrationSet set = noise(10);
  const std::vector<Grid> wanted = grids_of(model, set, 10);
  for (const std::int64_t batch : {1, 3, 16}) expect_equal(grids_of(model, set, batch), wanted);
  CalibrationSet turned = set;
  for (std::int64_t i = 0; i < 10; ++i) {
    std::copy_n(set.pixels.begin() + i * kFeatures, kFeatures,
                turned.pixels.begin() + (9 - i) * kFeatures);
  }
  expect_equal(grids_of(model, turned, 3), wanted);
}

TEST(StaticRangesTest, RemovesItsHook) {
  const Model model = drawn_model(residual_net());
  PackedModel packed(model, 4);
  const CalibrationSet set = noise(4);
  static_input_grids(packed.executor(), layer_shapes(model.graph).size(), set);
  EXPECT_NO_THROW(predict(packed.executor(), set));
}

/// The pixel 255 overflows two layers of opposite signs, whose sum is then NaN; other pixels make
/// 0.
TEST(StaticRangesTest, RefusesNaNWhicheverSampleItComesFrom) {
  Model model = drawn_model({{1, 1, 1},
                             {{"up", Linear{.outputs = 1}, {0}},
                              {"down", Linear{.outputs = 1}, {0}},
                              {"sum", Add{}, {1, 2}},
                              {"last", Linear{.outputs = 1}, {3}}}});
  for (const char* name : {"up.weight", "up.bias"}) model.parameters.at(name).values = {3e38F};
  for (const char* name : {"down.weight", "down.bias"}) model.parameters.at(name).values = {-3e38F};
  CalibrationSet set;
  set.count = 3;
  set.features = set.classes = 1;
  set.labels.resize(3);
  set.pixels.assign(3, 0);
  EXPECT_NO_THROW(grids_of(model, set, 2));
  for (const std::int64_t batch : {1, 2, 3}) {
    for (std::size_t place = 0; place < 3; ++place) {
      set.pixels.assign(3, 0);
      set.pixels[place] = 255;
      for (const char* choice : {"minmax", "mse"}) {
        EXPECT_THAT(fault_of([&] { grids_of(model, set, batch, choice); }),
                    ::testing::HasSubstr("input of layer 2"))
            << place;
      }
    }
  }
}

TEST(StaticRangesTest, RefusesInfinity) {
  Model model = drawn_model(
      {{1, 1, 1}, {{"a", Linear{.outputs = 1}, {0}}, {"b", Linear{.outputs = 1}, {1}}}});
  for (const float sign : {1.0F, -1.0F}) {
    for (const char* name : {"a.weight", "a.bias"})
      model.parameters.at(name).values = {sign * 3e38F};
    CalibrationSet set;
    set.count = 1;
    set.features = set.classes = 1;
    set.labels.resize(1);
    set.pixels = {255};
    EXPECT_THAT(fault_of([&] { grids_of(model, set, 1); }),
                ::testing::HasSubstr("input of layer 1"));
  }
}

}  // namespace
}  // namespace qassay
