#include "models/fold.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/models/naive_forward.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

/// Rounding the folded weights and biases to FP32 is all that may change: 2^-24 each, which a few
/// layers grow to less than 1e-5 of the largest output.
void expect_same_function(const Model& model) {
  const Model folded = fold_batch_norms(model);
  ASSERT_NO_THROW(check_model(folded, "folded"));
  const std::int64_t features = model.graph.input.features();
  const std::vector<float> x = normal_numbers(4 * features, "fold");
  const std::vector<double> before = naive_forward(model, {x.data(), 4, features});
  const std::vector<double> after = naive_forward(folded, {x.data(), 4, features});
  ASSERT_EQ(after.size(), before.size());
  double largest = 0;
  for (const double value : before) largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-5 * largest);
}

TEST(FoldTest, KeepsTheFunction) {
  const Model model = drawn_model(residual_net());
  expect_same_function(model);
  const Graph folded = fold_batch_norms(model).graph;
  std::vector<std::string> norms;
  for (const Node& node : folded.nodes)
    if (std::holds_alternative<BatchNorm>(node.op)) norms.push_back(node.name);
  EXPECT_THAT(norms, ElementsAre("sum.norm", "pixel.norm"));
}

TEST(FoldTest, ALayerGetsABiasFromItsNorm) {
  Model model{
      "m",
      "none",
      {{1, 1, 2},
       {{"a", Linear{.outputs = 1, .bias = false}, {0}}, {"n", BatchNorm{.epsilon = 1}, {1}}}},
      {{"a.weight", {{1, 2}, {3, -5}}},
       {"n.weight", {{1}, {4}}},
       {"n.bias", {{1}, {10}}},
       {"n.running_mean", {{1}, {7}}},
       {"n.running_var", {{1}, {3}}}}};
  // f = 4 / sqrt(3 + 1) = 2
  const Model folded = fold_batch_norms(model);
  EXPECT_EQ(folded.graph, (Graph{{1, 1, 2}, {{"a", Linear{.outputs = 1, .bias = true}, {0}}}}));
  EXPECT_EQ(folded.parameters,
            (Parameters{{"a.weight", {{1, 2}, {6, -10}}}, {"a.bias", {{1}, {-4}}}}));
  expect_same_function(model);
}

TEST(FoldTest, TwoNormsInARowGoIntoOneLayer) {
  const Model model = drawn_model({{5, 5, 2},
                                   {{"conv", Conv2d{.outputs = 3, .kernel = 3}, {0}},
                                    {"first", BatchNorm{}, {1}},
                                    {"second", BatchNorm{}, {2}},
                                    {"relu", Relu{}, {3}}}});
  expect_same_function(model);
  EXPECT_THAT(names_of(fold_batch_norms(model).graph), ElementsAre("conv", "relu"));
}

TEST(FoldTest, ANormStaysWhereItsInputIsUsedTwice) {
  const Model model = drawn_model({{5, 5, 2},
                                   {{"conv", Conv2d{.outputs = 3, .kernel = 3}, {0}},
                                    {"norm", BatchNorm{}, {1}},
                                    {"sum", Add{}, {1, 2}}}});
  EXPECT_EQ(fold_batch_norms(model), model);
}

TEST(FoldTest, ANormStaysBehindWhatIsNoLayer) {
  const Model model = drawn_model({{5, 5, 2},
                                   {{"input", BatchNorm{}, {0}},
                                    {"relu", Relu{}, {1}},
                                    {"norm", BatchNorm{}, {2}},
                                    {"sum", Add{}, {3, 0}},
                                    {"last", BatchNorm{}, {4}}}});
  EXPECT_EQ(fold_batch_norms(model), model);
}

TEST(FoldTest, AValueThatIsUsedTwiceBehindItsNormIsFolded) {
  const Model model = drawn_model({{5, 5, 2},
                                   {{"conv", Conv2d{.outputs = 3, .kernel = 3}, {0}},
                                    {"norm", BatchNorm{}, {1}},
                                    {"twice", Add{}, {2, 2}},
                                    {"sum", Add{}, {2, 3}}}});
  expect_same_function(model);
  EXPECT_EQ(fold_batch_norms(model).graph.nodes[2].inputs, (std::vector<ValueId>{1, 2}));
}

TEST(FoldTest, AModelWithoutNormsStaysAsItIs) {
  const Model model = drawn_model(three_layers());
  EXPECT_EQ(fold_batch_norms(model), model);
}

}  // namespace
}  // namespace qassay
