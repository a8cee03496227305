#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "models/train/trainer.hpp"

namespace qassay {
namespace {

TrainingRecipe rates(int epochs, double peak, double warmup) {
  TrainingRecipe recipe;
  recipe.epochs = epochs;
  recipe.peak_rate = peak;
  recipe.warmup_epochs = warmup;
  return recipe;
}

TEST(LearningRateTest, RisesToThePeakAndFallsAlongHalfACosine) {
  const TrainingRecipe recipe = rates(10, 0.4, 2);
  EXPECT_DOUBLE_EQ(learning_rate(recipe, 0, 100), 0.4 / 200);
  EXPECT_DOUBLE_EQ(learning_rate(recipe, 99, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(recipe, 199, 100), 0.4);
  EXPECT_DOUBLE_EQ(learning_rate(recipe, 599, 100), 0.2);  // half of the way down
  EXPECT_NEAR(learning_rate(recipe, 399, 100), 0.4 * (1 + std::sqrt(0.5)) / 2, 1e-12);
  EXPECT_NEAR(learning_rate(recipe, 999, 100), 0, 1e-12);
  for (std::int64_t step = 200; step < 1000; ++step)
    EXPECT_LT(learning_rate(recipe, step, 100), learning_rate(recipe, step - 1, 100));
}

TEST(LearningRateTest, IsFiniteAndInRangeAtItsCorners) {
  for (const int epochs : {1, 2, 3}) {
    for (const double warmup : {0.0, 0.5, 1.0, 2.0, 3.0, 10.0}) {
      const TrainingRecipe recipe = rates(epochs, 0.1, warmup);
      for (const std::int64_t steps : {1, 7}) {
        for (std::int64_t step = 0; step < epochs * steps; ++step) {
          const double rate = learning_rate(recipe, step, steps);
          EXPECT_TRUE(rate >= 0 && rate <= 0.1 + 1e-15)
              << rate << " at step " << step << " of " << steps << ", epochs " << epochs
              << ", warm-up " << warmup;
        }
      }
    }
  }
  // A run that is all warm-up never leaves it.
  const TrainingRecipe recipe = rates(2, 0.1, 4);
  EXPECT_DOUBLE_EQ(learning_rate(recipe, 9, 5), 0.05);
}

TEST(TrainingRecipeTest, TheKeyNamesEveryPart) {
  const TrainingRecipe recipe;
  std::vector<TrainingRecipe> others(10, recipe);
  others[0].epochs = 2;
  others[1].batch = 64;
  others[2].optimizer = AdamW{};
  others[3].optimizer = Sgd{.momentum = 0.90001};
  others[4].optimizer = Sgd{.weight_decay = 0};
  others[5].peak_rate = 0.1000001;
  others[6].warmup_epochs = 1.5;
  others[7].epoch_samples = 100;
  others[8].initial_variance = 1;
  others[9].seed = "t";
  for (const AdamW& adam : {AdamW{.beta1 = 0.8}, AdamW{.beta2 = 0.9}, AdamW{.epsilon = 1e-7},
                            AdamW{.weight_decay = 0}, AdamW{.clip = 1}}) {
    others.push_back(recipe);
    others.back().optimizer = adam;
  }
  std::set<std::string> keys{recipe.key()};
  for (const TrainingRecipe& other : others) keys.insert(other.key());
  EXPECT_EQ(keys.size(), others.size() + 1);
}

}  // namespace
}  // namespace qassay
