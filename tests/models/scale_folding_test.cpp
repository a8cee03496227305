#include "models/scale_folding.hpp"

#include <gmock/gmock.h>

#include <algorithm>
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

/// The largest difference, in units of the largest score.
double difference(const std::vector<float>& got, const std::vector<float>& wanted) {
  double largest = 0, off = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(double{wanted[i]}));
    off = std::max(off, std::fabs(double{got[i]} - wanted[i]));
  }
  return off / largest;
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
      EXPECT_LE(difference(scores(folded, ids), scores(model, ids)), 1e-5);
    }
  }
}

// P15, where nothing takes the factors: with shared heads, and with everything as if nothing did.
// Powers of two round nowhere.
TEST(ScaleFoldingTest, ANodeOfItsOwnLeavesTheFunctionAsItWas) {
  const std::vector<float> ids = drawn_texts(1);
  for (const bool all : {false, true}) {
    for (const bool exact : {true, false}) {
      const Model model = drawn_decoder(gated_decoder(4, 2));
      const std::vector<LayerShape> shapes = layer_shapes(model.graph);
      Model scaled = model;
      std::size_t inserted = 0;
      for (const SharedInput& input : shared_inputs(model.graph)) {
        if (!all && !input.refusal) continue;
        insert_scales(scaled, input, some_scales(shapes[input.layers.front()].k, exact));
        ++inserted;
      }
      EXPECT_EQ(inserted, all ? 9U : 2U);
      EXPECT_EQ(scaled.graph.nodes.size(), model.graph.nodes.size() + inserted);
      check_model(scaled, "scaled");
      EXPECT_EQ(layer_shapes(scaled.graph), shapes);
      EXPECT_LE(difference(scores(scaled, ids), scores(model, ids)), exact ? 0 : 1e-5);
    }
  }
}

// Whoever reads the value besides the layers still gets what it got.
TEST(ScaleFoldingTest, OtherReadersAreLeftAlone) {
  Model model;
  model.graph.input = {1, 1, 4};
  model.graph.nodes = {{"first", Linear{.outputs = 4}, {0}},
                       {"second", Linear{.outputs = 4}, {1}},
                       {"sum", Add{}, {1, 2}}};
  model = drawn_model(model.graph);
  const SharedInput input = shared_inputs(model.graph).at(1);
  ASSERT_TRUE(input.refusal);
  insert_scales(model, input, std::vector<float>{2, 4, 8, 0.5F});
  const std::vector<Node>& nodes = model.graph.nodes;
  EXPECT_EQ(nodes[1], (Node{"second.input_scale", ChannelScale{}, {1}}));
  EXPECT_THAT(nodes[2].inputs, ElementsAre(2));
  EXPECT_THAT(nodes[3].inputs, ElementsAre(1, 3));
  EXPECT_THAT(model.parameters.at("second.input_scale.weight").values,
              ElementsAre(0.5F, 0.25F, 0.125F, 2.0F));
  // And the next to ask finds somebody who takes them.
  EXPECT_FALSE(shared_inputs(model.graph).at(1).refusal);
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
