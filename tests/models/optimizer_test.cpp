#include "models/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace qassay {
namespace {

constexpr double kTolerance = 1e-6;

/// One weight of a layer, 2, and one bias, 3.
Parameters two_parameters() { return {{"a.weight", {{1, 1}, {2}}}, {"a.bias", {{1}, {3}}}}; }
Parameters gradients(float weight, float bias) {
  return {{"a.weight", {{1, 1}, {weight}}}, {"a.bias", {{1}, {bias}}}};
}

TEST(OptimizerTest, SgdTakesNesterovsSteps) {
  Parameters parameters = two_parameters();
  Optimizer optimizer(Sgd{.momentum = 0.5, .weight_decay = 0.1});
  // Weight: g = 1 + 0.1 * 2 = 1.2, v = 1.2, w = 2 - 0.1 (1.2 + 0.6) = 1.82
  // Bias, not decayed: g = v = -4, b = 3 - 0.1 (-4 - 2) = 3.6
  optimizer.step(parameters, gradients(1, -4), 0.1);
  EXPECT_NEAR(parameters["a.weight"].values[0], 1.82, kTolerance);
  EXPECT_NEAR(parameters["a.bias"].values[0], 3.6, kTolerance);
  // Weight: g = 0 + 0.182, v = 0.6 + 0.182 = 0.782, w = 1.82 - 0.2 (0.182 + 0.391) = 1.7054
  // Bias: g = 1, v = -2 + 1 = -1, b = 3.6 - 0.2 (1 - 0.5) = 3.5
  optimizer.step(parameters, gradients(0, 1), 0.2);
  EXPECT_NEAR(parameters["a.weight"].values[0], 1.7054, kTolerance);
  EXPECT_NEAR(parameters["a.bias"].values[0], 3.5, kTolerance);
}

TEST(OptimizerTest, SgdWithoutMomentumGoesDownTheGradient) {
  Parameters parameters = two_parameters();
  Optimizer optimizer(Sgd{.momentum = 0, .weight_decay = 0});
  optimizer.step(parameters, gradients(8, 4), 0.25);
  optimizer.step(parameters, gradients(8, 4), 0.25);
  EXPECT_EQ(parameters["a.weight"].values[0], -2);
  EXPECT_EQ(parameters["a.bias"].values[0], 1);
}

TEST(OptimizerTest, AdamWTakesTheStepsOfItsAlgorithm) {
  Parameters parameters = two_parameters();
  const AdamW recipe{.beta1 = 0.5, .beta2 = 0.75, .epsilon = 0, .weight_decay = 0.1};
  Optimizer optimizer(recipe);
  // First step: m^ = g and v^ = g^2, so each goes by rate * sign(g), the weight by its decay too.
  optimizer.step(parameters, gradients(4, -0.25F), 0.1);
  EXPECT_NEAR(parameters["a.weight"].values[0], 2 - 0.1 * (1 + 0.1 * 2), kTolerance);
  EXPECT_NEAR(parameters["a.bias"].values[0], 3.1, kTolerance);
  // Second, weight at 1.88, g = 2: m = 0.5 * 2 + 0.5 * 2 = 2, m^ = 2 / (1 - 0.25) = 8/3;
  //   v = 0.75 * 4 + 0.25 * 4 = 4, v^ = 4 / (1 - 0.5625) = 64/7
  //   w = 1.88 - 0.2 (8/3 / sqrt(64/7) + 0.188)
  // Bias at 3.1, g = 1: m = 0.5 * -0.125 + 0.5 = 0.4375, m^ = 0.4375 / 0.75 = 7/12;
  //   v = 0.75 * 0.25 / 16 + 0.25 = 0.26171875, v^ = v / 0.4375
  optimizer.step(parameters, gradients(2, 1), 0.2);
  EXPECT_NEAR(parameters["a.weight"].values[0],
              1.88 - 0.2 * (8.0 / 3 / std::sqrt(64.0 / 7) + 0.188), kTolerance);
  EXPECT_NEAR(parameters["a.bias"].values[0],
              3.1 - 0.2 * (7.0 / 12 / std::sqrt(0.26171875 / 0.4375)), kTolerance);
}

TEST(OptimizerTest, AdamWDividesByEpsilonWhereThereIsNoGradient) {
  Parameters parameters = two_parameters();
  Optimizer optimizer(AdamW{.weight_decay = 0});
  optimizer.step(parameters, gradients(0, 0), 0.1);
  EXPECT_EQ(parameters, two_parameters());
}

TEST(OptimizerTest, ARestoredStateGoesOnAsTheOneThatWasKept) {
  for (const OptimizerRecipe& recipe : std::vector<OptimizerRecipe>{Sgd{}, AdamW{}}) {
    Parameters parameters = two_parameters();
    Optimizer optimizer(recipe);
    optimizer.step(parameters, gradients(1, 2), 0.1);
    Parameters others = parameters;
    Optimizer restored(recipe);
    restored.restore(optimizer.state());
    optimizer.step(parameters, gradients(-3, 1), 0.1);
    restored.step(others, gradients(-3, 1), 0.1);
    EXPECT_EQ(others, parameters);
    EXPECT_EQ(restored.state(), optimizer.state());
  }
}

/// Gradients 3 and 4 have a norm of 5.
TEST(OptimizerTest, AdamWClipsTheNormOfAllGradients) {
  const AdamW plain{.beta1 = 0, .beta2 = 0, .epsilon = 1, .weight_decay = 0};
  for (const double clip : {0.0, 5.0, 6.0, 2.5}) {
    AdamW recipe = plain;
    recipe.clip = clip;
    Parameters parameters = two_parameters();
    Optimizer(recipe).step(parameters, gradients(3, 4), 1);
    const double scale = clip == 2.5 ? 0.5 : 1;  // w - g / (|g| + 1)
    EXPECT_NEAR(parameters["a.weight"].values[0], 2 - 3 * scale / (3 * scale + 1), kTolerance)
        << clip;
    EXPECT_NEAR(parameters["a.bias"].values[0], 3 - 4 * scale / (4 * scale + 1), kTolerance)
        << clip;
  }
}

}  // namespace
}  // namespace qassay
