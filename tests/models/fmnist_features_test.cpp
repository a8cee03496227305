#include "models/fmnist_features.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "core/seed.hpp"
#include "datasets/scoring.hpp"
#include "models/linear_algebra.hpp"
#include "tests/datasets/files.hpp"

namespace qassay {
namespace {

static_assert(std::is_invocable_v<decltype(fit_random_features), std::string_view, TrainingSet,
                                  RandomFeatureRecipe, int>);
static_assert(!std::is_invocable_v<decltype(fit_random_features), std::string_view, TestSet,
                                   RandomFeatureRecipe, int>,
              "what fits must not take test data");

/// The predictions of a model of two layers with a ReLU between, by a product of its own and sums
/// in double for the few outputs: nothing of the executor.
std::vector<std::uint8_t> plain_predictions(const Model& model, const ClassificationSet& set) {
  const std::vector<LayerShape> shapes = layer_shapes(model.graph);
  const Layer first = layer_of(model, shapes.at(0));
  const Layer second = layer_of(model, shapes.at(1));
  constexpr std::int64_t kBatch = 1000;
  std::vector<float> x(static_cast<std::size_t>(kBatch * first.shape.k));
  std::vector<float> z(static_cast<std::size_t>(kBatch * first.shape.n));
  std::vector<float> y(static_cast<std::size_t>(second.shape.n));
  std::vector<std::uint8_t> predictions;
  for (std::int64_t begin = 0; begin < set.count; begin += kBatch) {
    const std::int64_t rows = std::min(kBatch, set.count - begin);
    fill_batch(set, begin, {x.data(), rows, first.shape.k});
    multiply_transposed({x.data(), rows, first.shape.k}, first.matrix(),
                        {z.data(), rows, first.shape.n}, 2);
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::size_t c = 0; c < y.size(); ++c) {
        double sum = second.bias[c];
        for (std::size_t i = 0; i < first.bias.size(); ++i) {
          const float feature =
              z[static_cast<std::size_t>(row * first.shape.n) + i] + first.bias[i];
          if (feature > 0) sum += double{second.weights[c * first.bias.size() + i]} * feature;
        }
        y[c] = static_cast<float>(sum);
      }
      predictions.push_back(predict(ConstMatrix(y.data(), 1, second.shape.n)).front());
    }
  }
  return predictions;
}

/// 2,500 images of 12 pixels in three classes that differ in which pixels are bright: several
/// batches of the fit, the last one short.
TrainingSet blobs() {
  TrainingSet set;
  set.count = 2500;
  set.features = 12;
  set.classes = 3;
  Random random(11);
  for (std::int64_t i = 0; i < set.count; ++i) {
    const auto label = static_cast<std::uint8_t>(random.below(3));
    set.labels.push_back(label);
    for (std::int64_t p = 0; p < set.features; ++p) {
      const bool bright = p / 4 == label;
      set.pixels.push_back(static_cast<std::uint8_t>((bright ? 120 : 40) + random.below(100)));
    }
  }
  return set;
}

class RandomFeaturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = linear_algebra_missing()) GTEST_SKIP() << refusal->reason;
  }
  const RandomFeatureRecipe recipe_{
      .features = 530, .bias_deviation = 0.25, .ridge = 1e-3, .seed_name = "blobs"};
};

TEST_F(RandomFeaturesTest, ArgumentsOfTheReluAreCentredWithTheDeviationOfOne) {
  const TrainingSet set = blobs();
  RandomFeatureRecipe recipe = recipe_;
  recipe.bias_deviation = 0;
  recipe.features = 400;
  // max(z, 0) - max(-z, 0) = z: the layer before its relu.
  Layer layer = random_feature_layer(set, recipe);
  std::vector<float> z = layer_outputs(layer, set, 0, set.count, 1);
  for (std::vector<float>* numbers : {&layer.weights, &layer.bias})
    for (float& number : *numbers) number = -number;
  const std::vector<float> negative = layer_outputs(layer, set, 0, set.count, 1);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] -= negative[i];
  double squares = 0;
  std::vector<double> sums(400);
  for (std::size_t i = 0; i < z.size(); ++i) {
    squares += double{z[i]} * z[i];
    sums[i % sums.size()] += z[i];
  }
  EXPECT_NEAR(squares / static_cast<double>(z.size()), 1.0, 0.15);
  for (const double sum : sums) EXPECT_NEAR(sum / 2500, 0, 1e-4);
}

TEST_F(RandomFeaturesTest, FindsTheClasses) {
  const TrainingSet set = blobs();
  const Model model = fit_random_features("blobs", set, recipe_, 1);
  EXPECT_GT(top1(plain_predictions(model, set), set.labels), 0.97);
}

TEST_F(RandomFeaturesTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const TrainingSet set = blobs();
  const Model one = fit_random_features("blobs", set, recipe_, 1);
  EXPECT_EQ(one, fit_random_features("blobs", set, recipe_, 1));
  EXPECT_EQ(one, fit_random_features("blobs", set, recipe_, 2));
  EXPECT_EQ(one, fit_random_features("blobs", set, recipe_, 3));
}

TEST_F(RandomFeaturesTest, KeyNamesEveryPartOfTheRecipe) {
  RandomFeatureRecipe other = recipe_;
  other.features = 531;
  EXPECT_NE(other.key(), recipe_.key());
  other = recipe_;
  other.bias_deviation = 0.250001;
  EXPECT_NE(other.key(), recipe_.key());
  other = recipe_;
  other.ridge = 1.0000001e-3;
  EXPECT_NE(other.key(), recipe_.key());
  other = recipe_;
  other.seed_name = "other";
  EXPECT_NE(other.key(), recipe_.key());
}

// One case, because the real fit takes seconds.
TEST_F(RandomFeaturesTest, FashionMnistIsAccurateAndKept) {
  const TemporaryFolder cache;
  const ImageDataset dataset = find_dataset("fashion-mnist");
  const auto get = [&](int threads) {
    return std::get<CachedModel>(fmnist_features(dataset, cache.path(), threads));
  };
  const CachedModel fitted = get(2);
  EXPECT_TRUE(fitted.fitted);
  EXPECT_EQ(fitted.note, "");
  EXPECT_NO_THROW(check_model(fitted.model, "fitted"));
  EXPECT_EQ(fitted.model.graph, fmnist_features_graph());
  const std::vector<LayerShape> layers = layer_shapes(fitted.model.graph);
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(layers[0].k, 784);
  EXPECT_EQ(layers[0].n, 2048);
  EXPECT_EQ(layers[1].n, 10);

  const TestSet test = dataset.test();
  const double accuracy = top1(plain_predictions(fitted.model, test), test.labels);
  RecordProperty("top1", std::to_string(accuracy));
  EXPECT_GE(accuracy, 0.855);

  const CachedModel kept = get(1);
  EXPECT_FALSE(kept.fitted);
  EXPECT_EQ(kept.model, fitted.model);
}

}  // namespace
}  // namespace qassay
