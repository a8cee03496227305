#include "quantizers/quantize_model.hpp"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "models/catalogue.hpp"
#include "models/linear_algebra.hpp"
#include "models/outliers.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QuantizeModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = linear_algebra_missing()) GTEST_SKIP() << missing->reason;
  }
};

constexpr std::int64_t kTexts = 12;
constexpr const char* kMethods[] = {"rtn",      "mse", "hqq",        "gptq",
                                    "gptq-act", "awq", "awq-noclip", "smoothquant"};

CalibrationInputs texts() {
  return {.values = drawn_texts(kTexts), .samples = kTexts, .features = kSampleContext};
}

CalibrationInputs images(const Model& model) {
  const std::int64_t features = model.graph.input.features();
  return {.values = normal_numbers(24 * features, "images"), .samples = 24, .features = features};
}

QuantizedModel quantized(const Model& model, const std::string& method, const std::string& scheme,
                         const CalibrationInputs& inputs) {
  return quantize_model(model, parse_method(method), parse_scheme(scheme), &inputs, 2);
}

/// The model with the values that its quantized layers stand for.
Model dequantized(const QuantizedModel& quantized) {
  Model model = quantized.model;
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    model.parameters.at(shapes[i].name + ".weight").values = dequantize(quantized.layers[i]);
  return model;
}

/// Squared error of a model's outputs on the samples, over their square.
double output_error(const Model& model, const Model& other, const CalibrationInputs& inputs) {
  const auto outputs = [&](const Model& of) {
    PackedModel packed(of, inputs.samples);
    std::vector<float> y(static_cast<std::size_t>(inputs.samples * packed.executor().outputs()));
    packed.executor().run(inputs.matrix(), {y.data(), inputs.samples, packed.executor().outputs()});
    return y;
  };
  const std::vector<float> wanted = outputs(model);
  const std::vector<float> got = outputs(other);
  double error = 0;
  double square = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    error += std::pow(static_cast<double>(got[i]) - wanted[i], 2);
    square += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return error / square;
}

TEST_F(QuantizeModelTest, EveryMethodComesCloseAtEightBits) {
  const Model net = drawn_model(residual_net());
  for (const char* method : kMethods) {
    SCOPED_TRACE(method);
    for (const Decoder& decoder : {gated_decoder(4, 2), relu_decoder()}) {
      const Model model = drawn_decoder(decoder);
      const QuantizedModel result = quantized(model, method, "W8A16-g32", texts());
      EXPECT_EQ(result.layers.size(), layer_shapes(model.graph).size());
      EXPECT_LT(output_error(model, dequantized(result), texts()), 1e-3);
    }
    EXPECT_LT(
        output_error(net, dequantized(quantized(net, method, "W8A16", images(net))), images(net)),
        2e-3);
  }
}

TEST_F(QuantizeModelTest, NearestCodesAreThoseOfTheLayers) {
  const Model model = drawn_decoder(gated_decoder());
  const Scheme scheme = parse_scheme("W4A16-g32");
  const QuantizedModel result = quantize_model(model, {}, scheme, nullptr, 1);
  EXPECT_EQ(result.model, model);
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const QuantMatrix wanted = round_to_nearest(layer_of(model, shapes[i]).matrix(), scheme);
    EXPECT_EQ(result.layers[i].codes, wanted.codes);
    EXPECT_EQ(result.layers[i].scales, wanted.scales);
  }
}

// P15: what is folded is made up for, whatever was scaled.
TEST_F(QuantizeModelTest, ScalingLeavesTheFunctionAsItWas) {
  for (const char* method : {"awq-noclip", "smoothquant-0.8"}) {
    const Model model = drawn_decoder(relu_decoder());
    const QuantizedModel result = quantized(model, method, "W4A16-g32", texts());
    EXPECT_NE(result.model.parameters, model.parameters) << method;
    EXPECT_LT(output_error(model, result.model, texts()), 1e-9) << method;
  }
}

TEST_F(QuantizeModelTest, CalibratedMethodsLoseLessThanNearestCodes) {
  Model model = with_outlier_channels(drawn_decoder(gated_decoder()));
  const auto error = [&](const char* method) {
    return output_error(model, dequantized(quantized(model, method, "W4A16", texts())), texts());
  };
  const double nearest = error("rtn");
  for (const char* method : {"gptq", "awq", "smoothquant"})
    EXPECT_LT(error(method), nearest) << method;
}

TEST_F(QuantizeModelTest, TheResultDoesNotDependOnThreads) {
  const Model net = drawn_model(residual_net());
  const Model decoder = drawn_decoder(gated_decoder(4, 2));
  for (const char* method : {"gptq-act", "awq"}) {
    for (const Model& model : {net, decoder}) {
      const CalibrationInputs inputs = takes_text(model.graph) ? texts() : images(model);
      const int most = omp_get_max_threads();
      std::vector<QuantizedModel> results;
      for (const int threads : {1, 3}) {
        omp_set_num_threads(threads);
        results.push_back(quantize_model(model, parse_method(method), parse_scheme("W4A16-g32"),
                                         &inputs, threads));
      }
      omp_set_num_threads(most);
      EXPECT_EQ(results[0].model, results[1].model);
      for (std::size_t i = 0; i < results[0].layers.size(); ++i)
        EXPECT_EQ(results[0].layers[i].codes, results[1].layers[i].codes) << method << i;
    }
  }
}

// Channels of the values are uneven: on even ones AWQ may find factors of 1 to be the best, which
// need no node.
TEST_F(QuantizeModelTest, WhatNothingTakesHasANodeOfItsOwn) {
  Model model = with_outlier_channels(drawn_decoder(gated_decoder(4, 2)));
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  for (const char* layer : {"layers.0.v_proj.weight", "layers.1.v_proj.weight"}) {
    Tensor& values = model.parameters.at(layer);
    const auto width = static_cast<std::size_t>(values.dims[1]);
    for (std::size_t i = 0; i < values.values.size(); ++i)
      values.values[i] *= i / width % 8 == 0 ? 30.0F : 1.0F;
  }
  for (const char* method : {"awq-noclip", "smoothquant"}) {
    const QuantizedModel result = quantized(model, method, "W4A16-g32", texts());
    EXPECT_THAT(result.notes, ElementsAre(HasSubstr("layers.0.o_proj: scaled by a node"),
                                          HasSubstr("layers.1.o_proj: scaled by a node")));
    EXPECT_EQ(result.model.graph.nodes.size(), model.graph.nodes.size() + 2);
    EXPECT_EQ(layer_shapes(result.model.graph), shapes);
    for (const LayerShape& shape : shapes) {  // every linear layer, those behind shared heads too
      const std::string weight = shape.name + ".weight";
      EXPECT_NE(result.model.parameters.at(weight), model.parameters.at(weight)) << weight;
    }
    EXPECT_LT(output_error(model, result.model, texts()), 1e-9) << method;
  }
}

TEST_F(QuantizeModelTest, WhatWasLeftOutIsNoted) {
  const Model model = drawn_decoder(gated_decoder(4, 2));
  const CalibrationInputs inputs = texts();
  const QuantizedModel result = quantize_model(
      model, parse_method("awq"), parse_scheme("W4A16-g32"), &inputs, 2, {}, GraphChange::none);
  EXPECT_EQ(result.model.graph, model.graph);
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("layers.0.o_proj: not scaled"),
                                        HasSubstr("layers.1.o_proj: not scaled")));
}

TEST_F(QuantizeModelTest, ErrorsNameTheLayer) {
  Model model = drawn_decoder(gated_decoder());
  const CalibrationInputs one{.values = {1, 2}, .samples = 1, .features = 2};
  try {
    quantized(model, "gptq", "W4A16", one);
    FAIL() << "two rows cannot calibrate 32 inputs";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer layers.0.q_proj"));
  }
  model.parameters.at("layers.1.o_proj.weight").values[5] = INFINITY;
  try {
    quantized(model, "mse", "W4A16", texts());
    FAIL() << "infinity was quantized";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer layers.1.o_proj"));
  }
}

TEST_F(QuantizeModelTest, ProgressCountsEveryLook) {
  const std::size_t layers = 15;
  for (const auto& [method, steps] :
       {std::pair("rtn", layers), std::pair("gptq", layers), std::pair("awq", 3 * layers)}) {
    std::vector<std::size_t> seen;
    const CalibrationInputs inputs = texts();
    quantize_model(drawn_decoder(gated_decoder()), parse_method(method), parse_scheme("W4A16"),
                   &inputs, 1, [&, wanted = steps](std::size_t done, std::size_t of) {
                     EXPECT_EQ(of, wanted);
                     seen.push_back(done);
                   });
    ASSERT_FALSE(seen.empty()) << method;
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(seen.front(), 1U);
    EXPECT_EQ(seen.back(), steps);
  }
}

}  // namespace
}  // namespace qassay
