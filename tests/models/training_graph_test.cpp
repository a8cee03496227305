// The derivatives of a whole net against differences of the loss of the naive forward, in double.

#include "models/train/training_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/train/loss.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

class TrainingGraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto refusal = training_missing()) GTEST_SKIP() << refusal->reason;
  }
};

constexpr std::int64_t kSamples = 4;
constexpr std::int64_t kFeatures = 9 * 7 * 4;
const std::vector<std::int32_t> kLabels{3, 0, 4, 3};

std::vector<float> images() { return normal_numbers(kSamples * kFeatures, "images"); }

/// The mean of -log softmax(scores)[label].
double naive_loss(const Model& model, const NaiveParameters& parameters, const NaiveValue& input) {
  const NaiveValue scores =
      naive_values(model.graph, parameters, input, Statistics::of_the_batch).back();
  double loss = 0;
  for (std::int64_t s = 0; s < kSamples; ++s) {
    double sum = 0;
    for (std::int64_t c = 0; c < scores.channels; ++c) sum += std::exp(scores(s, 0, 0, c));
    loss += std::log(sum) - scores(s, 0, 0, kLabels[static_cast<std::size_t>(s)]);
  }
  return loss / kSamples;
}

/// Gradients of the cross-entropy after one forward and backward.
Parameters gradients_of(Model& model, const std::vector<float>& x, int threads, double* loss) {
  TrainingGraph graph(model, kSamples + 1, threads);
  const ConstMatrix scores = graph.forward({x.data(), kSamples, kFeatures}, Mode::training);
  std::vector<float> slope(static_cast<std::size_t>(kSamples * scores.cols));
  const Matrix out(slope.data(), kSamples, scores.cols);
  *loss = cross_entropy(scores, kLabels, 0, out).loss;
  graph.backward(out);
  return graph.gradients();
}

/// A step of 1e-6 leaves errors near 1e-9 and is too short to meet a kink of the activations.
TEST_F(TrainingGraphTest, GradientsOfANetEqualDifferencesOfItsLoss) {
  const Model before = drawn_model(residual_net());
  Model model = before;
  const std::vector<float> x = images();
  double loss = 0;
  const Parameters gradients = gradients_of(model, x, 2, &loss);
  NaiveParameters parameters = in_double(before.parameters);
  const NaiveValue input({x.data(), kSamples, kFeatures}, model.graph.input);
  EXPECT_NEAR(loss, naive_loss(model, parameters, input), 1e-5 * loss);
  constexpr double kStep = 1e-6;
  constexpr std::size_t kMost = 6;
  for (const auto& [name, gradient] : gradients) {
    std::vector<double>& at = parameters.at(name);
    double largest = 0;
    for (const float value : gradient.values)
      largest = std::max(largest, std::fabs(static_cast<double>(value)));
    Random random(seed_from_name(name));
    for (std::size_t i = 0; i < std::min(at.size(), kMost); ++i) {
      const std::size_t index = at.size() <= kMost ? i : random.below(at.size());
      const double kept = at[index];
      at[index] = kept + kStep;
      const double above = naive_loss(model, parameters, input);
      at[index] = kept - kStep;
      const double below = naive_loss(model, parameters, input);
      at[index] = kept;
      const double wanted = (above - below) / (2 * kStep);
      // Where the derivatives of a whole tensor vanish (a bias in front of a norm) noise remains.
      EXPECT_NEAR(gradient.values.at(index), wanted,
                  1e-3 * std::fabs(wanted) + 1e-4 * largest + 1e-6)
          << name << ", number " << index;
    }
  }
}

TEST_F(TrainingGraphTest, EveryParameterButRunningStatisticsHasAGradient) {
  Model model = drawn_model(residual_net());
  double loss = 0;
  const Parameters gradients = gradients_of(model, images(), 1, &loss);
  for (const ParameterShape& shape : parameter_shapes(model.graph)) {
    const bool running = shape.name.find(".running_") != std::string::npos;
    ASSERT_EQ(gradients.contains(shape.name), !running) << shape.name;
    if (running) continue;
    EXPECT_EQ(gradients.at(shape.name).dims, shape.dims);
  }
}

TEST_F(TrainingGraphTest, InferenceGoesByTheRunningStatisticsAndChangesNothing) {
  Model model = drawn_model(residual_net());
  const Model before = model;
  TrainingGraph graph(model, kSamples, 1);
  const std::vector<float> x = images();
  const ConstMatrix scores = graph.forward({x.data(), kSamples, kFeatures}, Mode::inference);
  const std::vector<double> wanted = naive_forward(model, {x.data(), kSamples, kFeatures});
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(scores.data[i], wanted[i], 1e-5 * 100) << i;
  EXPECT_EQ(model, before);
}

TEST_F(TrainingGraphTest, IsTheSameForEqualThreadsAndBatchesOfAnySize) {
  const std::vector<float> x = images();
  double loss = 0;
  Model one = drawn_model(residual_net());
  Model other = one;
  EXPECT_EQ(gradients_of(one, x, 2, &loss), gradients_of(other, x, 2, &loss));
  EXPECT_EQ(one, other);
  // A batch in between leaves nothing behind.
  TrainingGraph graph(one, kSamples, 2);
  const std::vector<float> slope(20, 0.1F);
  const auto gradients = [&](std::int64_t samples) {
    graph.forward({x.data(), samples, kFeatures}, Mode::training);
    graph.backward({slope.data(), samples, 5});
    return graph.gradients();
  };
  const Parameters four = gradients(4);
  const Parameters two = gradients(2);
  EXPECT_NE(two, four);
  EXPECT_EQ(gradients(4), four);
  EXPECT_EQ(gradients(2), two);
}

}  // namespace
}  // namespace qassay
