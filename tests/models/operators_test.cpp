// Every operator by itself: forward against the naive one, backward against differences of the
// naive one in double. A new alternative of Operator fails here until it has a row in
// kOperatorCases.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "models/ops/op.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/operator_subject.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::fabs(value));
  return most;
}

/// FP32 arithmetic is the only difference: sums of some hundred terms err by less than 1e-5 of the
/// largest result.
void expect_near(const std::vector<float>& got, const std::vector<double>& wanted,
                 const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], 1e-5 * largest(wanted)) << what << ", value " << i;
}

void expect_slopes(const std::vector<float>& got, const std::vector<OperatorSubject::Slope>& wanted,
                   const std::string& what) {
  double most = 0;
  for (const OperatorSubject::Slope& slope : wanted) most = std::max(most, std::fabs(slope.value));
  for (const OperatorSubject::Slope& slope : wanted) {
    const double limit = 1e-3 * std::fabs(slope.value) + 1e-5 * most + 1e-6;
    ASSERT_NEAR(got.at(slope.index), slope.value, limit) << what << ", number " << slope.index;
  }
}

/// The cases that this build can compute.
std::vector<OperatorCase> cases() {
  std::vector<OperatorCase> all = kOperatorCases;
  if (training_missing()) std::erase_if(all, [](const OperatorCase& c) { return is_layer(c.op); });
  return all;
}

std::vector<float> functional_of(const OperatorSubject& subject) {
  return normal_numbers(static_cast<std::int64_t>(subject.output_.size()), "functional");
}

TEST(OperatorsTest, EveryOperatorHasACase) {
  std::set<std::size_t> seen;
  for (const OperatorCase& c : kOperatorCases) seen.insert(c.op.index());
  for (std::size_t i = 0; i < std::variant_size_v<Operator>; ++i)
    EXPECT_TRUE(seen.contains(i)) << "alternative " << i
                                  << " of Operator has no row in kOperatorCases";
}

TEST(OperatorsTest, ForwardEqualsTheDefinition) {
  for (const OperatorCase& c : cases()) {
    OperatorSubject subject(c);
    expect_near(subject.forward(Mode::inference), subject.naive_forward(Statistics::running),
                text_of(c));
    expect_near(subject.forward(Mode::training), subject.naive_forward(Statistics::of_the_batch),
                text_of(c) + " in training");
  }
}

TEST(OperatorsTest, BackwardEqualsDifferencesOfTheDefinition) {
  for (const OperatorCase& c : cases()) {
    OperatorSubject subject(c);
    const std::vector<float> weights = functional_of(subject);
    subject.forward(Mode::training);
    subject.backward(weights);
    for (std::size_t i = 0; i < subject.inputs_.size() && !subject.takes_ids(); ++i) {
      expect_slopes(subject.slopes_[i], subject.differences(subject.naive_[i].at, weights),
                    fmt::format("{} by input {}", text_of(c), i));
    }
    for (const std::string& name : subject.names_) {
      if (name.starts_with("op.running_") || name == "op.order") continue;
      expect_slopes(subject.gradients_.at(name).values,
                    subject.differences(subject.doubles_.at(name), weights),
                    text_of(c) + " by " + name);
    }
  }
}

TEST(OperatorsTest, BackwardWithoutADerivativeByTheInputsGivesTheSameGradients) {
  for (const OperatorCase& c : cases()) {
    OperatorSubject subject(c);
    const std::vector<float> weights = functional_of(subject);
    subject.forward(Mode::training);
    subject.backward(weights);
    const Parameters wanted = subject.gradients_;
    for (auto& [name, gradient] : subject.gradients_)
      if (!name.starts_with("op.running_")) std::ranges::fill(gradient.values, 77.0F);
    subject.backward_to_parameters(weights);
    EXPECT_EQ(subject.gradients_, wanted) << text_of(c);
  }
}

TEST(OperatorsTest, OperatorsThatAreNoLayersDoNotDependOnThreads) {
  for (const OperatorCase& c : kOperatorCases) {
    // Sums over the batch are cut by threads.
    if (is_layer(c.op) || std::holds_alternative<BatchNorm>(c.op)) continue;
    OperatorSubject one(c, 1);
    OperatorSubject three(c, 3);
    EXPECT_EQ(one.forward(Mode::training), three.forward(Mode::training)) << text_of(c);
    const std::vector<float> weights = functional_of(one);
    one.backward(weights);
    three.backward(weights);
    EXPECT_EQ(one.slopes_, three.slopes_) << text_of(c);
  }
}

TEST(OperatorsTest, TheDerivativeOfAMaximumGoesToTheFirstOfEquals) {
  const Extent extent{2, 2, 1};
  const std::vector<float> x{1, 5, 5, 5};
  std::vector<float> y(1), dx(4);
  const auto pool =
      make_op(MaxPool{.kernel = 2},
              {.inputs = {extent}, .output = {1, 1, 1}, .parameters = {}, .gradients = {}});
  const ConstMatrix in(x.data(), 1, 4);
  pool->forward({&in, 1}, {y.data(), 1, 1}, Mode::training);
  const std::vector<float> dy{2};
  const Matrix out(dx.data(), 1, 4);
  pool->backward({&in, 1}, {y.data(), 1, 1}, {dy.data(), 1, 1}, {&out, 1});
  EXPECT_EQ(dx, (std::vector<float>{0, 2, 0, 0}));
}

TEST(OperatorsTest, NaNPassesThroughAllOperatorsThatAreNoLayers) {
  for (const OperatorCase& c : kOperatorCases) {
    const auto* const windows = std::get_if<Unfold>(&c.op);
    if (is_layer(c.op) || (windows != nullptr && windows->padding > 0)) continue;
    OperatorSubject subject(c);
    for (std::vector<float>& input : subject.inputs_) std::ranges::fill(input, std::nanf(""));
    for (const float value : subject.forward(Mode::inference))
      ASSERT_TRUE(std::isnan(value)) << text_of(c);
  }
}

/// Momentum 0.1, the unbiased variance: of 4 numbers 1, 2, 3, 6 a mean of 3 and a variance of 14/3.
TEST(BatchNormTest, TrainingMovesTheRunningStatistics) {
  Parameters parameters{{"weight", {{1}, {1}}},
                        {"bias", {{1}, {0}}},
                        {"running_mean", {{1}, {10}}},
                        {"running_var", {{1}, {2}}}};
  const Extent extent{2, 1, 1};
  const auto norm =
      make_op(BatchNorm{}, {.inputs = {extent},
                            .output = extent,
                            .samples = 2,
                            .threads = 1,
                            .parameters = {&parameters["weight"], &parameters["bias"],
                                           &parameters["running_mean"], &parameters["running_var"]},
                            .gradients = {}});
  const std::vector<float> x{1, 2, 3, 6};
  std::vector<float> y(4);
  const ConstMatrix in(x.data(), 2, 2);
  norm->forward({&in, 1}, {y.data(), 2, 2}, Mode::inference);
  EXPECT_EQ(parameters["running_mean"].values[0], 10);
  norm->forward({&in, 1}, {y.data(), 2, 2}, Mode::training);
  EXPECT_NEAR(parameters["running_mean"].values[0], 0.9 * 10 + 0.1 * 3, 1e-5);
  EXPECT_NEAR(parameters["running_var"].values[0], 0.9 * 2 + 0.1 * 14 / 3, 1e-5);
}

}  // namespace
}  // namespace qassay
