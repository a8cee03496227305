#include "models/graph.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "models/attributes.hpp"
#include "models/fmnist_cnn.hpp"
#include "models/model.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string fault(const Graph& graph) {
  return fault_of([&] { infer_extents(graph); });
}
/// Of one operator, "op", on one input.
std::string fault(const Operator& op, const Extent& input = {4, 4, 6}) {
  return fault(Graph{input, {{"op", op, {0}}}});
}

Extent extent_of(const Operator& op, const Extent& input) {
  return infer_extents({input, {{"op", op, {0}}}}).back();
}

TEST(GraphTest, InfersTheExtentOfEveryOperator) {
  EXPECT_EQ(extent_of(Linear{.outputs = 3}, {1, 1, 8}), (Extent{1, 1, 3}));
  EXPECT_EQ(extent_of(Conv2d{.outputs = 8, .kernel = 3}, {6, 5, 2}), (Extent{4, 3, 8}));
  EXPECT_EQ(extent_of(Conv2d{.outputs = 8, .kernel = 3, .padding = 1}, {6, 5, 2}),
            (Extent{6, 5, 8}));
  EXPECT_EQ(extent_of(Conv2d{.outputs = 8, .kernel = 3, .stride = 2, .padding = 1}, {6, 5, 2}),
            (Extent{3, 3, 8}));
  EXPECT_EQ(extent_of(Conv2d{.outputs = 8, .kernel = 6, .padding = 1}, {4, 5, 2}),
            (Extent{1, 2, 8}));
  for (const Operator& op : std::vector<Operator>{BatchNorm{}, Relu{}, Relu6{}, HardSwish{}})
    EXPECT_EQ(extent_of(op, {6, 5, 2}), (Extent{6, 5, 2}));
  EXPECT_EQ(extent_of(MaxPool{.kernel = 2, .stride = 2}, {7, 4, 3}), (Extent{3, 2, 3}));
  EXPECT_EQ(extent_of(AvgPool{.kernel = 3, .stride = 2, .padding = 1}, {7, 4, 3}),
            (Extent{4, 2, 3}));
  EXPECT_EQ(extent_of(GlobalAvgPool{}, {7, 4, 3}), (Extent{1, 1, 3}));
  EXPECT_EQ(extent_of(Flatten{}, {7, 4, 3}), (Extent{1, 1, 84}));
  EXPECT_EQ(extent_of(Softmax{}, {1, 1, 3}), (Extent{1, 1, 3}));
  EXPECT_EQ(infer_extents({{2, 3, 4}, {{"relu", Relu{}, {0}}, {"sum", Add{}, {0, 1}}}}),
            (std::vector<Extent>(3, {2, 3, 4})));
}

TEST(GraphTest, NamesTheNodeAndTheFault) {
  EXPECT_THAT(fault(Linear{.outputs = 3}),
              AllOf(HasSubstr("node 'op' (linear)"), HasSubstr("flatten")));
}

TEST(GraphTest, RefusesOperatorsThatDoNotFitTheirInput) {
  EXPECT_THAT(fault(Softmax{}), HasSubstr("flatten"));
  EXPECT_THAT(fault(Conv2d{.outputs = 6, .groups = 4}), HasSubstr("groups"));
  EXPECT_THAT(fault(Conv2d{.outputs = 4, .groups = 3}), HasSubstr("groups"));
  EXPECT_THAT(fault(Conv2d{.outputs = 6, .kernel = 5}), HasSubstr("kernel larger"));
  EXPECT_THAT(fault(Conv2d{.outputs = 6, .kernel = 3}, {9, 2, 1}), HasSubstr("kernel larger"));
  EXPECT_THAT(fault(MaxPool{.kernel = 5}), HasSubstr("kernel larger"));
  EXPECT_THAT(fault(AvgPool{.kernel = 3}, {2, 9, 1}), HasSubstr("kernel larger"));
  EXPECT_THAT(fault(MaxPool{.kernel = 2, .padding = 2}), HasSubstr("lie in the padding"));
  EXPECT_THAT(fault({{2, 2, 2}, {{"conv", Conv2d{.outputs = 3}, {0}}, {"sum", Add{}, {0, 1}}}}),
              AllOf(HasSubstr("node 'sum' (add)"), HasSubstr("different sizes")));
}

TEST(GraphTest, RefusesNumbersOutOfRange) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{0}, kHuge, -kHuge - 1}) {
    for (const Operator& op : std::vector<Operator>{
             Linear{.outputs = bad}, Conv2d{.outputs = bad}, Conv2d{.outputs = 6, .kernel = bad},
             Conv2d{.outputs = 6, .stride = bad}, Conv2d{.outputs = 6, .groups = bad},
             MaxPool{.kernel = bad}, MaxPool{.stride = bad}, AvgPool{.kernel = bad},
             AvgPool{.stride = bad}}) {
      EXPECT_THAT(fault(op, {1, 1, 6}), HasSubstr("node 'op'")) << describe({"op", op, {0}});
    }
    if (bad == 0) continue;
    for (const Operator& op :
         std::vector<Operator>{Conv2d{.outputs = 6, .padding = bad}, MaxPool{.padding = bad},
                               AvgPool{.padding = bad}}) {
      EXPECT_THAT(fault(op), HasSubstr("padding")) << describe({"op", op, {0}});
    }
  }
  for (const double bad : {0.0, -1e-5, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_THAT(fault(BatchNorm{.epsilon = bad}), HasSubstr("epsilon")) << bad;
  }
}

TEST(GraphTest, RefusesSizesOutOfRange) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  for (const Extent& bad : std::vector<Extent>{{0, 1, 1},
                                               {1, 0, 1},
                                               {1, 1, 0},
                                               {-1, 1, 1},
                                               {kHuge, 1, 1},
                                               {1, kHuge, 1},
                                               {kHuge, kHuge, kHuge},
                                               {1 << 16, 1 << 16, 1}}) {
    EXPECT_THAT(fault(Relu{}, bad), HasSubstr("size is out of range"));
  }
  EXPECT_THAT(fault(Conv2d{.outputs = 1 << 20}, {1 << 10, 1 << 10, 1}),
              HasSubstr("output whose size is out of range"));
  EXPECT_THAT(fault(Conv2d{.outputs = 1 << 20, .padding = 4096}, {1, 1, 1}),
              HasSubstr("output whose size is out of range"));
}

TEST(GraphTest, RefusesNodesThatAreNotConnected) {
  const Extent extent{1, 1, 2};
  EXPECT_THAT(fault({extent, {}}), HasSubstr("no nodes"));
  EXPECT_THAT(fault({extent, {{"", Relu{}, {0}}}}), HasSubstr("has no name"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {0}}, {"a", Relu6{}, {1}}}}),
              HasSubstr("node 'a' (relu6): has the name of an earlier node"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {1}}}}), HasSubstr("not computed before"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {2}}, {"b", Relu{}, {1}}}}),
              HasSubstr("node 'a' (relu): takes a value that is not computed before"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {}}}}), HasSubstr("has 0 inputs and takes 1"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {0, 0}}}}), HasSubstr("has 2 inputs and takes 1"));
  EXPECT_THAT(fault({extent, {{"a", Add{}, {0}}}}), HasSubstr("has 1 inputs and takes 2"));
  EXPECT_THAT(fault({extent, {{"a", Add{}, {0, 0, 0}}}}), HasSubstr("has 3 inputs and takes 2"));
  EXPECT_THAT(fault({extent, {{"a", Relu{}, {0}}, {"b", Relu{}, {0}}}}),
              HasSubstr("node 'a' (relu): has an output that nothing uses"));
}

TEST(GraphTest, LayersAreTheNodesWithKernelsInTheirOrder) {
  const std::vector<LayerShape> layers = layer_shapes(residual_net());
  std::vector<std::string> names;
  for (const LayerShape& layer : layers) names.push_back(layer.name);
  EXPECT_THAT(names, ::testing::ElementsAre("stem", "grouped", "depthwise", "project", "pixel",
                                            "wide", "narrow", "classes"));
  const LayerShape grouped{.name = "grouped",
                           .n = 12,
                           .k = 3 * 3 * 2,
                           .convolution = Convolution{.height = 5,
                                                      .width = 4,
                                                      .channels = 8,
                                                      .kernel_height = 3,
                                                      .kernel_width = 3,
                                                      .stride = 1,
                                                      .padding = 1,
                                                      .groups = 4},
                           .bias = true};
  EXPECT_EQ(layers[1], grouped);
  EXPECT_EQ(layers[5], (LayerShape{.name = "wide", .n = 9, .k = 4 * 3 * 12, .bias = true}));
}

TEST(GraphTest, DescribesEveryAttributeAndInput) {
  const Node node{"c", Conv2d{.outputs = 4}, {0}};
  std::vector<Node> others(8, node);
  others[0].name = "d";
  others[1].inputs = {1};
  others[2].op = Conv2d{.outputs = 5};
  others[3].op = Conv2d{.outputs = 4, .kernel = 2};
  others[4].op = Conv2d{.outputs = 4, .stride = 2};
  others[5].op = Conv2d{.outputs = 4, .padding = 2};
  others[6].op = Conv2d{.outputs = 4, .groups = 2};
  others[7].op = Conv2d{.outputs = 4, .bias = false};
  for (const Node& other : others) EXPECT_NE(describe(other), describe(node));
  EXPECT_NE(describe({"m", MaxPool{}, {0}}), describe({"m", AvgPool{}, {0}}));
  EXPECT_NE(describe({"n", BatchNorm{.epsilon = 1e-5}, {0}}),
            describe({"n", BatchNorm{.epsilon = 1.0000001e-5}, {0}}));
  EXPECT_EQ(describe(node), describe({"c", Conv2d{.outputs = 4}, {0}}));
}

TEST(ModelTest, NeedsExactlyTheParametersOfItsGraph) {
  const Model model = drawn_model(residual_net());
  EXPECT_NO_THROW(check_model(model, "m"));
  const auto fault_after = [&](const std::function<void(Parameters&)>& change) {
    Model changed = model;
    change(changed.parameters);
    return fault_of([&] { check_model(changed, "m"); });
  };
  EXPECT_THAT(fault_after([](Parameters& all) { all.erase("wide.bias"); }),
              HasSubstr("m: parameter 'wide.bias': is missing"));
  EXPECT_THAT(fault_after([](Parameters& all) {
                all["narrow.bias"] = {{9}, {}};
              }),
              HasSubstr("m: parameter 'narrow.bias': belongs to no node"));
  EXPECT_THAT(fault_after([](Parameters& all) { all.at("wide.bias").values.pop_back(); }),
              HasSubstr("parameter 'wide.bias'"));
  EXPECT_THAT(fault_after([](Parameters& all) {
                all.at("grouped.weight").dims = {12, 18};
              }),
              HasSubstr("is [12, 18], but the graph needs [12, 3, 3, 2]"));
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(fault_after([&](Parameters& all) { all.at("stem.weight").values[5] = bad; }),
                HasSubstr("has a value at 5 that is not finite"));
  }
}

TEST(ModelTest, TheHashTellsGraphsAndParametersApart) {
  const Model model = drawn_model(three_layers());
  Model other = model;
  EXPECT_EQ(content_hash(other), content_hash(model));
  other.parameters.at("a.bias").values[0] = -other.parameters.at("a.bias").values[0];
  EXPECT_NE(content_hash(other), content_hash(model));
  other = model;
  other.graph.nodes[1].op = Relu6{};
  EXPECT_NE(content_hash(other), content_hash(model));
  other = model;
  other.graph.input = {1, 5, 1};
  EXPECT_NE(content_hash(other), content_hash(model));
}

TEST(ModelTest, ALayerHasItsWeightsAndBias) {
  const Model model = drawn_model(three_layers());
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  EXPECT_EQ(layer_of(model, shapes[0]).weights, model.parameters.at("a.weight").values);
  EXPECT_EQ(layer_of(model, shapes[0]).bias, model.parameters.at("a.bias").values);
  EXPECT_TRUE(layer_of(model, shapes[1]).bias.empty());
}

TEST(FmnistCnnTest, HasTheShapeThatItsHeaderStates) {
  const Graph graph = fmnist_cnn().graph;
  const std::vector<Extent> extents = infer_extents(graph);
  EXPECT_EQ(extents.front(), (Extent{28, 28, 1}));
  EXPECT_EQ(extents.back(), (Extent{1, 1, 10}));
  std::int64_t weights = 0;
  for (const LayerShape& layer : layer_shapes(graph)) weights += layer.n * layer.k;
  EXPECT_NEAR(static_cast<double>(weights), 340000, 50000);
}

}  // namespace
}  // namespace qassay
