#include "models/staged_run.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "models/linear_algebra.hpp"
#include "models/patches.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

class StagedRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = linear_algebra_missing()) GTEST_SKIP() << missing->reason;
  }
};

/// Rows of a layer, one behind the other; `k` wide.
std::vector<float> rows_of(const LayerInput& input) {
  std::vector<float> rows;
  input.for_each_batch(0, [&](ConstMatrix x) {
    for (std::int64_t i = 0; i < x.rows; ++i) rows.insert(rows.end(), x.row(i), x.row(i) + x.cols);
  });
  return rows;
}

void expect_near(const std::vector<float>& got, const float* wanted, double tolerance) {
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], tolerance * (1 + std::fabs(wanted[i]))) << "number " << i;
}

/// Every layer gets what the executor gives it; a convolution the patches of that.
void expect_the_executors_inputs(const Model& model, const std::vector<float>& inputs,
                                 std::int64_t samples, int threads) {
  PackedModel packed(model, samples);
  std::vector<std::vector<float>> wanted;
  packed.executor().set_hook([&](std::size_t, ConstMatrix input, ConstMatrix) {
    wanted.emplace_back(input.data, input.data + input.rows * input.cols);
  });
  std::vector<float> y(static_cast<std::size_t>(samples * packed.executor().outputs()));
  const std::int64_t features = static_cast<std::int64_t>(inputs.size()) / samples;
  packed.executor().run({inputs.data(), samples, features},
                        {y.data(), samples, packed.executor().outputs()});

  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  std::size_t seen = 0;
  run_staged(model, {inputs.data(), samples, features}, threads,
             [&](std::size_t layer, const LayerInput& input) {
               EXPECT_EQ(layer, seen++);
               const LayerShape& shape = shapes[layer];
               const std::vector<float> got = rows_of(input);
               if (!shape.convolution) {
                 EXPECT_EQ(got.size(), wanted[layer].size());
                 expect_near(got, wanted[layer].data(), 1e-4);
               } else {
                 const Convolution& c = *shape.convolution;
                 const std::int64_t size = c.out_pixels() * c.k();
                 std::vector<float> patches(static_cast<std::size_t>(samples * size));
                 for (std::int64_t i = 0; i < samples; ++i) {
                   fill_patches(c, wanted[layer].data() + i * c.features(), 0,
                                {patches.data() + i * size, c.out_pixels(), c.k()});
                 }
                 EXPECT_EQ(got.size(), patches.size());
                 expect_near(got, patches.data(), 1e-4);
               }
               return layer_of(model, shape).weights;
             });
  EXPECT_EQ(seen, shapes.size());
}

TEST_F(StagedRunTest, LayersGetWhatTheExecutorGivesThem) {
  constexpr std::int64_t kImages = 19;  // more than an operator takes at once
  const Model net = drawn_model(residual_net());
  const std::vector<float> images = normal_numbers(kImages * net.graph.input.features(), "images");
  expect_the_executors_inputs(net, images, kImages, 2);
  for (const Decoder& decoder : {gated_decoder(4, 2), relu_decoder()})
    expect_the_executors_inputs(drawn_decoder(decoder), drawn_texts(3), 3, 1);
}

TEST_F(StagedRunTest, LaterLayersSeeTheWeightsThatWereChosen) {
  const Model model = drawn_model(three_layers());
  const std::vector<float> x = normal_numbers(4 * 5, "x");
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  run_staged(model, {x.data(), 4, 5}, 1, [&](std::size_t layer, const LayerInput& input) {
    std::vector<float> weights(static_cast<std::size_t>(shapes[layer].n * shapes[layer].k));
    if (layer == 0) return weights;
    const std::vector<float> bias = layer_of(model, shapes[layer - 1]).bias;
    for (const float number : rows_of(input)) {  // what zero weights leave
      const bool is_bias = std::ranges::any_of(
          bias, [&](float b) { return number == std::max(b, 0.0F) || number == b; });
      EXPECT_TRUE(is_bias || number == 0) << number;
    }
    return weights;
  });
}

TEST_F(StagedRunTest, LayersThatReadOneValueSayIt) {
  const Model model = drawn_decoder(gated_decoder());
  const std::vector<float> ids = drawn_texts(1);
  std::vector<ValueId> values;
  run_staged(model, {ids.data(), 1, kSampleContext}, 1,
             [&](std::size_t layer, const LayerInput& input) {
               values.push_back(input.value());
               return layer_of(model, layer_shapes(model.graph)[layer]).weights;
             });
  EXPECT_EQ(values[0], values[1]);  // q and k
  EXPECT_EQ(values[1], values[2]);  // and v
  EXPECT_NE(values[2], values[3]);
}

TEST_F(StagedRunTest, InputsOfAnotherModelAreRefused) {
  const Model model = drawn_model(three_layers());
  const std::vector<float> x(12);
  const auto visit = [](std::size_t, const LayerInput&) { return std::vector<float>(); };
  EXPECT_THROW(run_staged(model, {x.data(), 2, 6}, 1, visit), std::invalid_argument);
  EXPECT_THROW(run_staged(model, {x.data(), 0, 5}, 1, visit), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
