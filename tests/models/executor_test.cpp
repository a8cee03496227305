#include "models/executor.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "core/seed.hpp"
#include "kernels/kernel_library.hpp"
#include "models/evaluate.hpp"

namespace qassay {
namespace {

using ::testing::Each;
using ::testing::Ge;

LinearLayer random_layer(const std::string& name, std::int64_t n, std::int64_t k, bool bias,
                         bool relu) {
  LinearLayer layer{.name = name, .n = n, .k = k, .weights = {}, .bias = {}, .relu = relu};
  layer.weights.resize(static_cast<std::size_t>(n * k));
  fill_normal(layer.weights, seed_from_name(name), 0.3F);
  if (bias) {
    layer.bias.resize(static_cast<std::size_t>(n));
    fill_normal(layer.bias, seed_from_name(name + "/bias"), 0.5F);
  }
  return layer;
}

/// Widths that grow and shrink, with and without bias and ReLU.
Model three_layers() {
  return {"three",
          {random_layer("a", 7, 5, true, true), random_layer("b", 13, 7, false, true),
           random_layer("c", 3, 13, true, false)}};
}

std::vector<double> naive_forward(const Model& model, std::vector<double> x) {
  for (const LinearLayer& layer : model.layers) {
    std::vector<double> y;
    for (std::int64_t i = 0; i < layer.n; ++i) {
      double sum = layer.bias.empty() ? 0 : layer.bias[static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < layer.k; ++j) {
        sum += layer.weights[static_cast<std::size_t>(i * layer.k + j)] *
               x[static_cast<std::size_t>(j)];
      }
      y.push_back(layer.relu && sum < 0 ? 0 : sum);
    }
    x = y;
  }
  return x;
}

/// A model with its layers packed for the reference kernel.
class Packed {
 public:
  Packed(const Model& model, std::int64_t m_max)
      : library_(default_kernel_library()), executor_(model, pack(model, m_max), m_max) {}

  Executor& executor() { return executor_; }

 private:
  std::vector<Prepared*> pack(const Model& model, std::int64_t m_max) {
    const Kernel* kernel = library_.find("linear_f32_any_f32_reference");
    std::vector<Prepared*> prepared;
    for (const LinearLayer& layer : model.layers) {
      QuantMatrix weights;
      weights.scheme = parse_scheme("FP32");
      weights.n = layer.n;
      weights.k = layer.k;
      weights.values = layer.weights;
      const Problem problem{.m_max = m_max,
                            .n = layer.n,
                            .k = layer.k,
                            .scheme = weights.scheme,
                            .bias = !layer.bias.empty()};
      kernels_.push_back(kernel->prepare(problem, weights, layer.bias, {.threads = 1}));
      prepared.push_back(kernels_.back().get());
    }
    return prepared;
  }

  KernelLibrary library_;
  std::vector<std::unique_ptr<Prepared>> kernels_;
  Executor executor_;
};

/// Doubles its input into y of the same shape, and stains all of the workspace it asked for.
class StainingKernel final : public Prepared {
 public:
  explicit StainingKernel(std::size_t workspace) : workspace_(workspace) {}
  std::size_t packed_bytes() const override { return 0; }
  std::size_t workspace_bytes() const override { return workspace_; }
  Traffic traffic(std::int64_t) const override { return {}; }
  std::string implementation() const override { return "test"; }
  std::unique_ptr<Prepared> copy() const override {
    return std::make_unique<StainingKernel>(workspace_);
  }
  void quantize_input(ConstMatrix x, std::span<std::byte> workspace) override {
    ASSERT_GE(workspace.size(), workspace_);
    std::fill(workspace.begin(), workspace.end(), std::byte{0x7F});
    for (std::int64_t i = 0; i < x.cols; ++i) {
      reinterpret_cast<float*>(workspace.data())[i] = 2 * x.data[i];
    }
  }
  void multiply(ConstMatrix x, std::span<std::byte> workspace, Matrix y) override {
    std::copy_n(reinterpret_cast<float*>(workspace.data()), x.cols, y.data);
  }

 private:
  std::size_t workspace_;
};

TEST(ExecutorTest, EqualsANaiveForwardPass) {
  const Model model = three_layers();
  Packed packed(model, 4);
  std::vector<float> x(4 * 5);
  fill_normal(x, 1, 1.0F);
  for (std::int64_t m = 1; m <= 4; ++m) {
    std::vector<float> y(static_cast<std::size_t>(m * 3), std::nanf(""));
    packed.executor().run({x.data(), m, 5}, {y.data(), m, 3});
    for (std::int64_t row = 0; row < m; ++row) {
      const std::vector<double> wanted =
          naive_forward(model, {x.begin() + row * 5, x.begin() + row * 5 + 5});
      for (std::int64_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(y[static_cast<std::size_t>(row * 3 + i)], wanted[static_cast<std::size_t>(i)],
                    1e-5);
      }
    }
  }
}

TEST(ExecutorTest, TakesAndGivesRowsWiderThanTheData) {
  const Model model = three_layers();
  Packed packed(model, 2);
  std::vector<float> x(2 * 9);
  fill_normal(x, 2, 1.0F);
  std::vector<float> y(2 * 4, -7.0F);
  packed.executor().run({x.data(), 2, 5, 9}, {y.data(), 2, 3, 4});
  const std::vector<double> second = naive_forward(model, {x.begin() + 9, x.begin() + 14});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[4 + i], second[i], 1e-5);
  EXPECT_EQ(y[3], -7.0F);
  EXPECT_EQ(y[7], -7.0F);
}

TEST(ExecutorTest, ReluKeepsNaN) {
  const Model model{"one", {random_layer("a", 2, 2, false, true)}};
  Packed packed(model, 1);
  const std::vector<float> x{std::numeric_limits<float>::quiet_NaN(), 1.0F};
  std::vector<float> y(2);
  packed.executor().run({x.data(), 1, 2}, {y.data(), 1, 2});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
}

TEST(ExecutorTest, ReluOfTheLastLayerIsApplied) {
  const Model model{"one", {random_layer("a", 40, 3, true, true)}};
  Packed packed(model, 1);
  const std::vector<float> x{1, -2, 3};
  std::vector<float> y(40, -1.0F);
  packed.executor().run({x.data(), 1, 3}, {y.data(), 1, 40});
  EXPECT_THAT(y, Each(Ge(0.0F)));
}

TEST(ExecutorTest, LayersShareTheLargestWorkspace) {
  StainingKernel small(64);
  StainingKernel large(1024);
  const LinearLayer layer{
      .name = "x", .n = 4, .k = 4, .weights = std::vector<float>(16), .bias = {}, .relu = false};
  Prepared* const kernels[] = {&small, &large, &small};
  Executor executor({"stains", {layer, layer, layer}}, kernels, 1);
  EXPECT_EQ(executor.workspace_bytes(), 1024U);
  const std::vector<float> x{1, 2, 3, -4};
  std::vector<float> y(4);
  executor.run({x.data(), 1, 4}, {y.data(), 1, 4});
  EXPECT_THAT(y, ::testing::ElementsAre(8, 16, 24, -32));
}

TEST(ExecutorTest, RefusesBatchesThatDoNotFit) {
  Packed packed(three_layers(), 2);
  std::vector<float> x(3 * 5);
  std::vector<float> y(3 * 3);
  Executor& executor = packed.executor();
  EXPECT_THROW(executor.run({x.data(), 3, 5}, {y.data(), 3, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 0, 5}, {y.data(), 0, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 1, 4}, {y.data(), 1, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 1, 5}, {y.data(), 1, 2}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 2, 5}, {y.data(), 1, 3}), std::invalid_argument);
}

TEST(ExecutorTest, RefusesModelsThatAreNoChain) {
  StainingKernel kernel(0);
  Prepared* const two[] = {&kernel, &kernel};
  Model model{"broken",
              {random_layer("a", 7, 5, true, true), random_layer("b", 3, 6, true, false)}};
  EXPECT_THROW(Executor(model, two, 1), std::invalid_argument);
  model.layers[1] = random_layer("b", 3, 7, true, false);
  EXPECT_NO_THROW(Executor(model, two, 1));
  EXPECT_THROW(Executor(model, std::span(two).first(1), 1), std::invalid_argument);
  EXPECT_THROW(Executor(model, two, 0), std::invalid_argument);
  Prepared* const gap[] = {&kernel, nullptr};
  EXPECT_THROW(Executor(model, gap, 1), std::invalid_argument);
  model.layers[0].weights.pop_back();
  EXPECT_THROW(Executor(model, two, 1), std::invalid_argument);
  EXPECT_THROW(Executor({"empty", {}}, {}, 1), std::invalid_argument);
}

ClassificationSet noise(std::int64_t count) {
  ClassificationSet set;
  set.count = count;
  set.features = 5;
  set.classes = 3;
  Random random(3);
  for (std::int64_t i = 0; i < count * 5; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  }
  set.labels.resize(static_cast<std::size_t>(count));
  return set;
}

TEST(EvaluateTest, PredictsEverySampleWhateverTheBatch) {
  const Model model = three_layers();
  const ClassificationSet set = noise(11);
  std::vector<std::uint8_t> wanted;
  for (std::int64_t i = 0; i < set.count; ++i) {
    std::vector<float> x(5);
    fill_batch(set, i, {x.data(), 1, 5});
    const std::vector<double> y = naive_forward(model, {x.begin(), x.end()});
    wanted.push_back(static_cast<std::uint8_t>(std::max_element(y.begin(), y.end()) - y.begin()));
  }
  for (const std::int64_t batch : {1, 4, 11, 16}) {
    EXPECT_EQ(predict(Packed(model, batch).executor(), set), wanted) << batch;
  }
}

TEST(EvaluateTest, RefusesASetOfAnotherShape) {
  Packed packed(three_layers(), 4);
  ClassificationSet set = noise(2);
  set.classes = 4;
  EXPECT_THROW(predict(packed.executor(), set), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
