#include "models/scale_folding.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/models/packed_model.hpp"
#include "tests/models/sample_decoders.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> scores(const Model& model, const std::vector<float>& ids) {
  PackedModel packed(model, 1);
  std::vector<float> y(static_cast<std::size_t>(packed.executor().outputs()));
  packed.executor().run({ids.data(), 1, kSampleContext},
                        {y.data(), 1, packed.executor().outputs()});
  return y;
}

/// From 1/8 to 8, powers of two or not.
std::vector<float> some_scales(std::int64_t k, bool exact) {
  std::vector<float> scales = normal_numbers(k, "scales", 1.0F);
  for (float& s : scales) {
    s = std::exp2(std::fmin(std::fmax(s, -3.0F), 3.0F));
    if (exact) s = std::exp2(std::round(std::log2(s)));
  }
  return scales;
}

std::int64_t foldable(const std::vector<SharedInput>& inputs) {
  return std::ranges::count_if(inputs, [](const SharedInput& input) { return !input.refusal; });
}

TEST(ScaleFoldingTest, TheFunctionIsTheSame) {
  const std::vector<float> ids = drawn_texts(1);
  for (const Decoder& decoder : {gated_decoder(), gated_decoder(4, 2), relu_decoder()}) {
    for (const bool exact : {true, false}) {
      const Model model = drawn_decoder(decoder);
      Model folded = model;
      for (const SharedInput& input : shared_inputs(model.graph)) {
        if (input.refusal) continue;
        const std::int64_t k = layer_shapes(model.graph)[input.layers.front()].k;
        fold_scales(folded, input, some_scales(k, exact));
      }
      EXPECT_NE(folded.parameters, model.parameters);
      const std::vector<float> wanted = scores(model, ids);
      const std::vector<float> got = scores(folded, ids);
      float largest = 0;
      for (const float score : wanted) largest = std::max(largest, std::fabs(score));
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], wanted[i], 1e-5 * largest) << i;
    }
  }
}

TEST(ScaleFoldingTest, EveryInputOfADecoderIsKnown) {
  const Graph graph = decoder_graph(gated_decoder());
  const std::vector<SharedInput> inputs = shared_inputs(graph);
  ASSERT_EQ(inputs.size(), 9U);  // four a block, and that of the scores
  EXPECT_THAT(inputs[0].layers, ElementsAre(0, 1, 2));
  EXPECT_THAT(inputs[0].producers, ElementsAre("layers.0.input_norm.weight"));
  EXPECT_THAT(inputs[1].producers, ElementsAre("layers.0.v_proj.weight"));
  EXPECT_THAT(inputs[2].layers.size(), 2U);  // gate and up
  EXPECT_THAT(inputs[3].producers, ElementsAre("layers.0.up_proj.weight"));
  EXPECT_EQ(foldable(inputs), 9);
}

TEST(ScaleFoldingTest, BiasesTakeTheFactorsToo) {
  const std::vector<SharedInput> inputs = shared_inputs(decoder_graph(relu_decoder()));
  EXPECT_THAT(inputs[0].producers,
              ElementsAre("layers.0.input_norm.weight", "layers.0.input_norm.bias"));
  EXPECT_THAT(inputs[3].producers, ElementsAre("layers.0.up_proj.weight", "layers.0.up_proj.bias"));
}

TEST(ScaleFoldingTest, WhatCannotFoldSaysWhy) {
  const auto reason = [](const Graph& graph, std::size_t index) {
    const std::vector<SharedInput> inputs = shared_inputs(graph);
    return inputs.at(index).refusal ? inputs[index].refusal->reason : "";
  };
  EXPECT_THAT(reason(decoder_graph(gated_decoder(4, 2)), 1), HasSubstr("share their values"));
  Graph graph;
  graph.input = {1, 1, 4};
  graph.nodes = {{"first", Linear{.outputs = 4}, {0}},
                 {"swish", HardSwish{}, {1}},
                 {"second", Linear{.outputs = 4}, {2}},
                 {"third", Linear{.outputs = 4}, {3}},
                 {"sum", Add{}, {3, 4}}};
  EXPECT_THAT(reason(graph, 0), HasSubstr("own input"));
  EXPECT_THAT(reason(graph, 1), HasSubstr("swish takes no factors"));
  EXPECT_THAT(reason(graph, 2), HasSubstr("sum reads the same"));
}

}  // namespace
}  // namespace qassay
