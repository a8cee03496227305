// Every operator by itself: forward against the naive one, backward against differences of the
// naive one in double. A new alternative of Operator fails here until it has a row in kCases.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "core/seed.hpp"
#include "models/ops/op.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

struct Case {
  Operator op;
  Extent input;
  std::int64_t samples = 3;
};

const std::vector<Case> kCases{
    {Linear{.outputs = 4}, {1, 1, 7}},
    {Linear{.outputs = 19, .bias = false}, {1, 1, 33}, 2},
    {Linear{.outputs = 1}, {1, 1, 1}, 1},
    {Conv2d{.outputs = 5, .kernel = 3}, {6, 5, 4}},
    {Conv2d{.outputs = 16, .kernel = 3, .padding = 1, .bias = false}, {5, 6, 16}},
    {Conv2d{.outputs = 6, .kernel = 3, .stride = 2, .padding = 1}, {7, 8, 3}},
    {Conv2d{.outputs = 4, .kernel = 3, .stride = 2}, {8, 6, 2}},  // a row and a column unread
    {Conv2d{.outputs = 8, .kernel = 1}, {4, 3, 6}},
    {Conv2d{.outputs = 8, .kernel = 1, .stride = 2, .bias = false}, {6, 5, 4}},
    {Conv2d{.outputs = 3, .kernel = 1, .padding = 1}, {3, 3, 2}},  // windows of padding alone
    {Conv2d{.outputs = 6, .kernel = 3, .padding = 1, .groups = 2}, {5, 4, 4}},
    {Conv2d{.outputs = 6, .kernel = 1, .groups = 3, .bias = false}, {2, 3, 9}},
    {Conv2d{.outputs = 6, .kernel = 3, .padding = 1, .groups = 6}, {5, 6, 6}},  // depthwise
    {Conv2d{.outputs = 16, .kernel = 3, .stride = 2, .padding = 1, .groups = 16, .bias = false},
     {7, 7, 16}},
    {Conv2d{.outputs = 8, .kernel = 3, .padding = 1, .groups = 4}, {4, 4, 4}},  // two a channel
    {Conv2d{.outputs = 3, .kernel = 5, .stride = 3, .padding = 2}, {9, 8, 1}},
    {Conv2d{.outputs = 2, .kernel = 4, .padding = 1}, {4, 3, 2}},  // nearly all of the image
    {BatchNorm{}, {4, 3, 5}},
    {BatchNorm{.epsilon = 0.5}, {1, 1, 6}, 7},
    {Relu{}, {5, 4, 3}},
    {Relu6{}, {7, 5, 3}},
    {HardSwish{}, {7, 5, 3}},
    {MaxPool{.kernel = 2, .stride = 2}, {6, 5, 3}},
    {MaxPool{.kernel = 3, .stride = 2, .padding = 1}, {7, 6, 2}},
    {MaxPool{.kernel = 3, .stride = 1, .padding = 2}, {4, 5, 3}},
    {MaxPool{.kernel = 1, .stride = 2}, {4, 3, 2}},
    {AvgPool{.kernel = 2, .stride = 2}, {6, 5, 3}},
    {AvgPool{.kernel = 3, .stride = 2, .padding = 1}, {7, 6, 2}},
    {AvgPool{.kernel = 3, .stride = 1, .padding = 2}, {4, 5, 3}},
    {GlobalAvgPool{}, {5, 3, 4}},
    {GlobalAvgPool{}, {1, 1, 4}},
    {Add{}, {3, 4, 5}},
    {Flatten{}, {3, 4, 2}},
    {Softmax{}, {1, 1, 5}},
    {Softmax{}, {1, 1, 1}, 2},
};

std::string text_of(const Case& c) {
  return fmt::format("{} of {}x{}x{}, {} samples", describe({"op", c.op, {0}}), c.input.height,
                     c.input.width, c.input.channels, c.samples);
}

/// Different numbers in a drawn order, each a whole number and a half of steps of 0.15: at least
/// 0.075 from 0, +-3 and 6, where the activations have kinks, and 0.15 from each other, so that the
/// maximum of a window stays where it is while the differences are taken.
std::vector<float> numbers_off_the_kinks(std::int64_t count, const std::string& seed) {
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < count; ++i)
    numbers.push_back(0.15F * (static_cast<float>(i - count / 2) + 0.5F));
  Random random(seed_from_name(seed));
  for (std::size_t i = numbers.size(); i > 1; --i)
    std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::fabs(value));
  return most;
}

/// An operator with inputs, parameters and memory for everything that it computes.
class Subject {
 public:
  explicit Subject(const Case& c, int threads = 2) : case_(c) {
    const std::size_t count = std::holds_alternative<Add>(c.op) ? 2 : 1;
    OpPlace place;
    place.inputs.assign(count, c.input);
    place.output =
        std::visit([&](const auto& op) { return output_extent(op, place.inputs); }, c.op);
    place.samples = c.samples + 1;  // more than are used
    place.threads = threads;
    for (const ParameterShape& shape : own_parameters(c.op, place.inputs)) {
      names_.push_back("op." + shape.name);
      std::int64_t size = 1;
      for (const std::int64_t dim : shape.dims) size *= dim;
      Tensor& tensor = parameters_[names_.back()];
      tensor = {shape.dims, normal_numbers(size, names_.back())};
      if (shape.name == "running_var") {
        for (float& value : tensor.values) value = 0.5F + std::fabs(value);
      }
      gradients_[names_.back()] = {shape.dims, std::vector<float>(tensor.values.size(), 77.0F)};
    }
    for (const std::string& name : names_) {
      place.parameters.push_back(&parameters_.at(name));
      if (!name.starts_with("op.running_")) place.gradients.push_back(&gradients_.at(name));
    }
    for (std::size_t i = 0; i < count; ++i) {
      inputs_.push_back(
          numbers_off_the_kinks(c.samples * c.input.features(), "input" + std::to_string(i)));
      slopes_.push_back(std::vector<float>(inputs_.back().size(), 77.0F));
      x_.emplace_back(inputs_.back().data(), c.samples, c.input.features());
      naive_.emplace_back(x_.back(), c.input);
    }
    output_.assign(static_cast<std::size_t>(c.samples * place.output.features()), 77.0F);
    y_ = {output_.data(), c.samples, place.output.features()};
    doubles_ = in_double(parameters_);
    op_ = std::visit([&](const auto& op) { return make_op(op, place); }, c.op);
  }

  std::vector<float> forward(Mode mode) {
    op_->forward(x_, y_, mode);
    return output_;
  }
  /// After a forward in training.
  void backward(const std::vector<float>& dy) {
    std::vector<Matrix> dx;
    for (std::vector<float>& slope : slopes_)
      dx.emplace_back(slope.data(), case_.samples, case_.input.features());
    op_->backward(x_, y_, {dy.data(), y_.rows, y_.cols}, dx);
  }
  /// The same where no input wants its derivative.
  void backward_to_parameters(const std::vector<float>& dy) {
    std::vector<Matrix> dx(inputs_.size(), Matrix(nullptr, case_.samples, case_.input.features()));
    op_->backward(x_, y_, {dy.data(), y_.rows, y_.cols}, dx);
  }

  std::vector<double> naive_forward(Statistics statistics) const {
    return naive_operator(case_.op, "op", naive_, doubles_, statistics).at;
  }

  /// A derivative of sum(weights * naive output).
  struct Slope {
    std::size_t index;
    double value;
  };
  /// By each of `at`, which must be numbers of this subject, or by kMost drawn ones of them:
  /// central differences. In double a step of 1e-4 leaves errors near 1e-8.
  std::vector<Slope> differences(std::vector<double>& at, const std::vector<float>& weights) {
    constexpr double kStep = 1e-4;
    constexpr std::size_t kMost = 60;
    const auto functional = [&] {
      const std::vector<double> y = naive_forward(Statistics::of_the_batch);
      double sum = 0;
      for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
      return sum;
    };
    Random random(at.size());
    std::vector<Slope> slopes;
    for (std::size_t i = 0; i < std::min(at.size(), kMost); ++i) {
      const std::size_t index = at.size() <= kMost ? i : random.below(at.size());
      const double before = at[index];
      at[index] = before + kStep;
      const double above = functional();
      at[index] = before - kStep;
      const double below = functional();
      at[index] = before;
      slopes.push_back({index, (above - below) / (2 * kStep)});
    }
    return slopes;
  }

  const Case case_;
  std::vector<std::string> names_;  // of the parameters
  Parameters parameters_, gradients_;
  std::vector<std::vector<float>> inputs_, slopes_;
  std::vector<NaiveValue> naive_;
  NaiveParameters doubles_;
  std::vector<float> output_;

 private:
  std::vector<ConstMatrix> x_;
  Matrix y_;
  std::unique_ptr<Op> op_;
};

/// FP32 arithmetic is the only difference: sums of some hundred terms err by less than 1e-5 of the
/// largest result.
void expect_near(const std::vector<float>& got, const std::vector<double>& wanted,
                 const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], 1e-5 * largest(wanted)) << what << ", value " << i;
}

void expect_slopes(const std::vector<float>& got, const std::vector<Subject::Slope>& wanted,
                   const std::string& what) {
  double most = 0;
  for (const Subject::Slope& slope : wanted) most = std::max(most, std::fabs(slope.value));
  for (const Subject::Slope& slope : wanted) {
    const double limit = 1e-3 * std::fabs(slope.value) + 1e-5 * most + 1e-6;
    ASSERT_NEAR(got.at(slope.index), slope.value, limit) << what << ", number " << slope.index;
  }
}

bool is_layer(const Operator& op) {
  return std::holds_alternative<Linear>(op) || std::holds_alternative<Conv2d>(op);
}

/// The cases that this build can compute.
std::vector<Case> cases() {
  std::vector<Case> all = kCases;
  if (training_missing()) std::erase_if(all, [](const Case& c) { return is_layer(c.op); });
  return all;
}

std::vector<float> functional_of(const Subject& subject) {
  return normal_numbers(static_cast<std::int64_t>(subject.output_.size()), "functional");
}

TEST(OperatorsTest, EveryOperatorHasACase) {
  std::set<std::size_t> seen;
  for (const Case& c : kCases) seen.insert(c.op.index());
  for (std::size_t i = 0; i < std::variant_size_v<Operator>; ++i)
    EXPECT_TRUE(seen.contains(i)) << "alternative " << i << " of Operator has no row in kCases";
}

TEST(OperatorsTest, ForwardEqualsTheDefinition) {
  for (const Case& c : cases()) {
    Subject subject(c);
    expect_near(subject.forward(Mode::inference), subject.naive_forward(Statistics::running),
                text_of(c));
    expect_near(subject.forward(Mode::training), subject.naive_forward(Statistics::of_the_batch),
                text_of(c) + " in training");
  }
}

TEST(OperatorsTest, BackwardEqualsDifferencesOfTheDefinition) {
  for (const Case& c : cases()) {
    Subject subject(c);
    const std::vector<float> weights = functional_of(subject);
    subject.forward(Mode::training);
    subject.backward(weights);
    for (std::size_t i = 0; i < subject.inputs_.size(); ++i) {
      expect_slopes(subject.slopes_[i], subject.differences(subject.naive_[i].at, weights),
                    fmt::format("{} by input {}", text_of(c), i));
    }
    for (const std::string& name : subject.names_) {
      if (name.starts_with("op.running_")) continue;
      expect_slopes(subject.gradients_.at(name).values,
                    subject.differences(subject.doubles_.at(name), weights),
                    text_of(c) + " by " + name);
    }
  }
}

TEST(OperatorsTest, BackwardWithoutADerivativeByTheInputsGivesTheSameGradients) {
  for (const Case& c : cases()) {
    Subject subject(c);
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
  for (const Case& c : kCases) {
    // Sums over the batch are cut by threads.
    if (is_layer(c.op) || std::holds_alternative<BatchNorm>(c.op)) continue;
    Subject one(c, 1);
    Subject three(c, 3);
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
  for (const Case& c : kCases) {
    if (is_layer(c.op)) continue;
    Subject subject(c);
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
