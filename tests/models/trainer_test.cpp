#include "models/train/trainer.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/ops/op.hpp"
#include "models/safetensors.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;

Model small_net() {
  return {
      "small",
      "quarters",
      {{8, 8, 1},
       {{"conv", Conv2d{.outputs = 8, .kernel = 3, .stride = 2, .padding = 1, .bias = false}, {0}},
        {"norm", BatchNorm{}, {1}},
        {"relu", Relu{}, {2}},
        {"flat", Flatten{}, {3}},
        {"classes", Linear{.outputs = 4}, {4}}}},
      {}};
}

/// Noise with one bright quarter of 8 x 8 pixels, which is the class.
TrainingSet quarters() {
  TrainingSet set;
  set.name = "quarters/train";
  set.hash = "0";
  set.count = 200;
  set.height = set.width = 8;
  set.features = 64;
  set.classes = 4;
  Random random(3);
  for (std::int64_t i = 0; i < set.count; ++i) {
    const auto label = static_cast<std::uint8_t>(random.below(4));
    set.labels.push_back(label);
    for (std::int64_t p = 0; p < 64; ++p) {
      const bool bright = p / 32 * 2 + p % 8 / 4 == label;
      set.pixels.push_back(static_cast<std::uint8_t>((bright ? 60 : 0) + random.below(120)));
    }
  }
  return set;
}

TrainingRecipe small_recipe() {
  return {.epochs = 4,
          .batch = 32,
          .optimizer = Sgd{},
          .peak_rate = 0.05,
          .warmup_epochs = 1,
          .seed = "small"};
}

ImageLessons lessons_of(const TrainingSet& set) {
  return {set, 0.05, {.max_shift = 1, .flip = false}};
}

bool go_on(const EpochReport&) { return true; }

TEST(InitializeTest, DrawsWeightsAndMakesNormsTheIdentity) {
  Model model = small_net();
  model.graph.nodes[4].op = Linear{.outputs = 400};
  initialize(model, 2, "a");
  EXPECT_NO_THROW(check_model(model, "m"));
  double squares = 0;
  const std::vector<float>& weights = model.parameters.at("classes.weight").values;
  for (const float w : weights) squares += static_cast<double>(w) * w;
  EXPECT_NEAR(squares / static_cast<double>(weights.size()), 2.0 / 128, 0.05 * 2 / 128);
  for (const char* one : {"norm.weight", "norm.running_var"})
    EXPECT_THAT(model.parameters.at(one).values, ::testing::Each(1.0F));
  for (const char* zero : {"norm.bias", "norm.running_mean", "classes.bias"})
    EXPECT_THAT(model.parameters.at(zero).values, ::testing::Each(0.0F));
}

TEST(InitializeTest, DependsOnTheSeedAndTheNames) {
  Model model = small_net();
  initialize(model, 2, "a");
  Model again = small_net();
  again.parameters = model.parameters;
  for (auto& [name, tensor] : again.parameters) tensor.values.assign(3, 5.0F);
  initialize(again, 2, "a");
  EXPECT_EQ(again, model);
  initialize(again, 2, "b");
  EXPECT_NE(again, model);
}

class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = training_missing()) GTEST_SKIP() << refusal->reason;
  }

  Model trained(const TrainingRecipe& recipe, const Checkpointing& checkpointing = {},
                int threads = 1) {
    Model model = small_net();
    EXPECT_TRUE(train(model, lessons_, recipe, threads, checkpointing, go_on));
    return model;
  }
  std::string fault(const TrainingRecipe& recipe) {
    return fault_of([&] {
      Model model = small_net();
      train(model, lessons_, recipe, 1, {file_, true}, go_on);
    });
  }
  std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void overwrite(const std::string& bytes) const {
    std::ofstream(file_, std::ios::binary) << bytes;
  }

  const TrainingSet set_ = quarters();
  ImageLessons lessons_ = lessons_of(set_);
  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "run.safetensors";
};

TEST_F(TrainerTest, LearnsASeparableSet) {
  for (const OptimizerRecipe& optimizer : std::vector<OptimizerRecipe>{Sgd{}, AdamW{}}) {
    TrainingRecipe recipe = small_recipe();
    recipe.optimizer = optimizer;
    if (std::holds_alternative<AdamW>(optimizer)) recipe.peak_rate = 0.01;
    recipe.epochs = 16;
    std::vector<EpochReport> reports;
    Model model = small_net();
    train(model, lessons_, recipe, 1, {}, [&](const EpochReport& report) {
      reports.push_back(report);
      return true;
    });
    ASSERT_EQ(reports.size(), 16U);
    EXPECT_EQ(reports.front().epoch, 1);
    EXPECT_EQ(reports.back().epoch, 16);
    EXPECT_EQ(reports.back().epochs, 16);
    EXPECT_LT(reports.back().loss, reports.front().loss);
    EXPECT_GT(reports.back().right, 0.97);
    EXPECT_NO_THROW(check_model(model, "trained"));
  }
}

TEST_F(TrainerTest, GivesTheSameBitsWithTheSameThreadsAndSeed) {
  TrainingRecipe recipe = small_recipe();
  recipe.epochs = 2;
  const Model one = trained(recipe);
  EXPECT_EQ(trained(recipe), one);
  EXPECT_EQ(trained(recipe, {}, 2), trained(recipe, {}, 2));
  recipe.seed = "other";
  EXPECT_NE(trained(recipe), one);
}

TEST_F(TrainerTest, ARunThatIsResumedEndsWithTheBitsOfOneThatWasNotInterrupted) {
  for (const OptimizerRecipe& optimizer : std::vector<OptimizerRecipe>{Sgd{}, AdamW{}}) {
    TrainingRecipe recipe = small_recipe();
    recipe.optimizer = optimizer;
    const Model whole = trained(recipe);
    for (int stop = 1; stop <= recipe.epochs; ++stop) {
      std::filesystem::remove(file_);
      Model model = small_net();
      const bool done = train(model, lessons_, recipe, 1, {file_, false},
                              [&](const EpochReport& report) { return report.epoch < stop; });
      EXPECT_EQ(done, stop == recipe.epochs);
      int epochs = 0;
      Model resumed = small_net();
      EXPECT_TRUE(
          train(resumed, lessons_, recipe, 1, {file_, true}, [&](const EpochReport& report) {
            EXPECT_EQ(report.epoch, stop + ++epochs);
            return true;
          }));
      EXPECT_EQ(epochs, recipe.epochs - stop);
      EXPECT_TRUE(resumed == whole) << "after epoch " << stop;
    }
  }
}

TEST_F(TrainerTest, RefusesACheckpointOfAnotherRun) {
  TrainingRecipe recipe = small_recipe();
  recipe.epochs = 1;
  trained(recipe, {file_, false});
  const std::string before = content();
  TrainingRecipe other = recipe;
  other.peak_rate = 0.06;
  EXPECT_THAT(fault(other), HasSubstr("another model, data set or recipe"));
  TrainingSet changed = set_;
  changed.hash = "1";
  Model model = small_net();
  ImageLessons of_changed = lessons_of(changed);
  EXPECT_THROW(train(model, of_changed, recipe, 1, {file_, true}, go_on), InputError);
  model.name = "another";
  EXPECT_THROW(train(model, lessons_, recipe, 1, {file_, true}, go_on), InputError);
  // Of this name, but another net.
  model = small_net();
  model.graph.nodes[0].op = Conv2d{.outputs = 4, .kernel = 3, .stride = 2, .padding = 1};
  EXPECT_THAT(fault_of([&] {
                train(model, lessons_, recipe, 1, {file_, true}, go_on);
              }),
              HasSubstr("parameter"));
  EXPECT_EQ(content(), before);
}

TEST_F(TrainerTest, RefusesACheckpointThatIsMissingOrDamaged) {
  TrainingRecipe recipe = small_recipe();
  recipe.epochs = 1;
  EXPECT_THAT(fault(recipe), HasSubstr("run.safetensors"));
  trained(recipe, {file_, false});
  const std::string whole = content();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
    overwrite(whole.substr(0, size));
    EXPECT_THAT(fault(recipe), HasSubstr("run.safetensors")) << size;
    EXPECT_EQ(content().size(), size);
  }
  write_safetensors({{"a", {{1}, {1}}}}, {}, file_);
  EXPECT_THAT(fault(recipe), HasSubstr("is no checkpoint of a training run"));
  overwrite(whole);
  EXPECT_NO_THROW(trained(recipe, {file_, true}));
}

/// In the middle of an epoch and, where the batch is the whole set, at its end.
TEST_F(TrainerTest, ARunThatDivergesIsRefusedAndLeavesTheCheckpointAsItWas) {
  for (const double rate : {1e6, 1e12, 1e20, 1e30, 1e37}) {
    for (const std::int64_t batch : {32, 200}) {
      TrainingRecipe recipe = small_recipe();
      recipe.epochs = 40;
      recipe.batch = batch;
      recipe.peak_rate = rate;
      std::filesystem::remove(file_);
      std::string last;
      Model model = small_net();
      const auto run = [&] {
        train(model, lessons_, recipe, 1, {file_, false}, [&](const EpochReport& report) {
          last = content();
          EXPECT_TRUE(std::isfinite(report.loss));
          return true;
        });
      };
      EXPECT_THAT(fault_of(run), HasSubstr("finite")) << rate << ", batch " << batch;
      EXPECT_EQ(content(), last) << rate << ", batch " << batch;
      if (last.empty()) continue;
      EXPECT_NO_THROW(Safetensors(file_).tensors()) << rate << ", batch " << batch;
    }
  }
}

TEST_F(TrainerTest, RefusesASetThatDoesNotFitTheModel) {
  Model model = small_net();
  TrainingRecipe recipe = small_recipe();
  recipe.batch = 201;
  EXPECT_THROW(train(model, lessons_, recipe, 1, {}, go_on), std::invalid_argument);
  recipe.batch = 0;
  EXPECT_THROW(train(model, lessons_, recipe, 1, {}, go_on), std::invalid_argument);
  recipe.batch = 200;
  TrainingSet other = set_;
  other.classes = 5;
  ImageLessons of_other = lessons_of(other);
  EXPECT_THROW(train(model, of_other, recipe, 1, {}, go_on), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
