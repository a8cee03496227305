#include "quantizers/calibration_metrics.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "models/linear_algebra.hpp"
#include "models/staged_run.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

class CalibrationMetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = linear_algebra_missing()) GTEST_SKIP() << missing->reason;
  }
};

/// The sum of (x . w)^2 over the rows x of a layer's input, for each row w of its weights.
std::vector<std::vector<double>> energies(const Model& model, const CalibrationInputs& inputs) {
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  std::vector<std::vector<double>> all;
  run_staged(model, inputs.matrix(), 1, [&](std::size_t i, const LayerInput& input) {
    const Layer layer = layer_of(model, shapes[i]);
    std::vector<double>& sums = all.emplace_back(static_cast<std::size_t>(layer.shape.n));
    input.for_each_batch(0, [&](ConstMatrix x) {
      for (std::int64_t row = 0; row < x.rows; ++row) {
        for (std::int64_t n = 0; n < layer.shape.n; ++n) {
          double product = 0;
          for (std::int64_t k = 0; k < x.cols; ++k)
            product += double{x.row(row)[k]} * layer.matrix().row(n)[k];
          sums[static_cast<std::size_t>(n)] += product * product;
        }
      }
    });
    return layer.weights;
  });
  return all;
}

void expect_energies(const Model& model, const CalibrationInputs& inputs) {
  const auto metrics = calibration_metrics(model, inputs, 2);
  const auto wanted = energies(model, inputs);
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  ASSERT_EQ(metrics.size(), shapes.size());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    ASSERT_EQ(metrics[i] == nullptr, shapes[i].convolution && shapes[i].convolution->groups > 1);
    if (!metrics[i]) continue;
    const auto got = metrics[i]->row_energies(layer_of(model, shapes[i]).matrix());
    for (std::size_t n = 0; n < got.size(); ++n)
      EXPECT_NEAR(got[n] / wanted[i][n], 1, 1e-3) << shapes[i].name << " row " << n;
  }
}

TEST_F(CalibrationMetricsTest, AreThoseOfEveryLayersInputs) {
  const std::int64_t texts = 12;
  expect_energies(drawn_decoder(gated_decoder(4, 2)),
                  {.values = drawn_texts(texts), .samples = texts, .features = kSampleContext});
  const Model net = drawn_model(residual_net());  // few enough patches that all are looked at
  const std::int64_t features = net.graph.input.features();
  expect_energies(
      net, {.values = normal_numbers(4 * features, "images"), .samples = 4, .features = features});
}

TEST_F(CalibrationMetricsTest, LayersWithOneInputShareOne) {
  const Model model = drawn_decoder(gated_decoder());
  const auto metrics = calibration_metrics(
      model, {.values = drawn_texts(2), .samples = 2, .features = kSampleContext}, 1);
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  const auto of = [&](std::string_view name) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      if (shapes[i].name.find(name) != std::string::npos) return metrics[i];
    }
    return decltype(metrics)::value_type{};
  };
  EXPECT_NE(of("q_proj"), nullptr);
  EXPECT_EQ(of("q_proj"), of("v_proj"));
  EXPECT_NE(of("q_proj"), of("o_proj"));
}

}  // namespace
}  // namespace qassay
