#include "models/executor.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/seed.hpp"
#include "models/evaluate.hpp"
#include "models/fold.hpp"
#include "tests/models/naive_forward.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

using ::testing::Each;
using ::testing::Ge;

std::vector<float> run(Executor& executor, const std::vector<float>& x, std::int64_t m) {
  std::vector<float> y(static_cast<std::size_t>(m * executor.outputs()), std::nanf(""));
  executor.run({x.data(), m, executor.features()}, {y.data(), m, executor.outputs()});
  return y;
}

/// Within 1e-5 of the largest output: FP32 sums of some hundred terms err by less, a wrong term by
/// far more.
void expect_near(std::span<const float> got, std::span<const double> wanted,
                 const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  double largest = 0;
  for (const double value : wanted) largest = std::max(largest, std::fabs(value));
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], 1e-5 * largest) << what << ", value " << i;
}

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

TEST(ExecutorTest, EqualsANaiveForwardPassForAnyBatch) {
  for (const Graph& graph : {three_layers(), residual_net()}) {
    const Model model = drawn_model(graph);
    PackedModel packed(model, 6);
    const std::int64_t features = graph.input.features();
    const std::vector<float> x = normal_numbers(6 * features, "images");
    for (const std::int64_t m : {1, 2, 5, 6}) {
      expect_near(run(packed.executor(), x, m), naive_forward(model, {x.data(), m, features}),
                  std::to_string(m));
    }
  }
}

TEST(ExecutorTest, EqualsANaiveForwardPassWithEveryFloatKernel) {
  const Model model = fold_batch_norms(drawn_model(residual_net()));
  const std::vector<float> x = normal_numbers(6 * 9 * 7 * 4, "images");
  const std::vector<double> wanted = naive_forward(model, {x.data(), 6, 9 * 7 * 4});
  for (const Kernel* kernel : built_kernels().table().kernels) {
    if (!cpu_runs(kernel->info().isa)) continue;
    PackedModel packed(model, 6, kernel);
    if (packed.taken() == 0) continue;
    const std::string name(kernel->info().name);
    expect_near(run(packed.executor(), x, 6), wanted, name);
    expect_near(run(packed.executor(), x, 1), std::span(wanted).first(5), name + ", one row");
  }
}

TEST(ExecutorTest, OneAndTwoThreadsGiveTheSameBits) {
  const Model model = drawn_model(residual_net());
  const std::vector<float> x = normal_numbers(6 * 9 * 7 * 4, "images");
  for (const Kernel* kernel : built_kernels().table().kernels) {
    const std::string_view backend = kernel->info().backend;
    if (!cpu_runs(kernel->info().isa) || (backend != "cpu" && backend != "reference")) continue;
    PackedModel one(model, 6, kernel, 1);
    if (one.taken() == 0) continue;
    PackedModel two(model, 6, kernel, 2);
    EXPECT_EQ(run(one.executor(), x, 6), run(two.executor(), x, 6)) << kernel->info().name;
  }
}

TEST(ExecutorTest, HooksSeeTheInputAndOutputOfEveryLayer) {
  const Model model = drawn_model(residual_net());
  const std::vector<float> x = normal_numbers(3 * 9 * 7 * 4, "images");
  const std::vector<NaiveValue> values =
      naive_values(model.graph, in_double(model.parameters),
                   {{x.data(), 3, 9 * 7 * 4}, model.graph.input}, Statistics::running);
  std::vector<std::size_t> outputs;  // the layers' values
  for (std::size_t i = 0; i < model.graph.nodes.size(); ++i) {
    const std::string_view kind = kind_name(model.graph.nodes[i].op);
    if (kind == "linear" || kind == "conv2d") outputs.push_back(i + 1);
  }
  PackedModel packed(model, 4);
  std::size_t calls = 0;
  packed.executor().set_hook([&](std::size_t layer, ConstMatrix input, ConstMatrix output) {
    ASSERT_EQ(layer, calls++);
    const Node& node = model.graph.nodes[outputs.at(layer) - 1];
    const auto numbers = [](ConstMatrix m) {
      return std::span(m.data, static_cast<std::size_t>(m.rows * m.cols));
    };
    EXPECT_EQ(input.rows, 3);
    expect_near(numbers(input), values[node.inputs.front()].at, "input of " + node.name);
    expect_near(numbers(output), values[outputs[layer]].at, "output of " + node.name);
  });
  const std::vector<float> y = run(packed.executor(), x, 3);
  EXPECT_EQ(calls, outputs.size());
  packed.executor().set_hook({});
  EXPECT_EQ(run(packed.executor(), x, 3), y);
  EXPECT_EQ(calls, outputs.size());
}

TEST(ExecutorTest, DoesNotWriteOverItsInput) {
  const Model model = drawn_model(
      {{1, 1, 4}, {{"relu", Relu{}, {0}}, {"sum", Add{}, {1, 0}}, {"norm", BatchNorm{}, {2}}}});
  Executor executor(model, {}, 2, 1);
  const std::vector<float> before = normal_numbers(8, "input");
  const std::vector<float> x = before;
  expect_near(run(executor, x, 2), naive_forward(model, {x.data(), 2, 4}), "no layers");
  EXPECT_EQ(x, before);
}

TEST(ExecutorTest, ReluKeepsNaN) {
  const Model model = drawn_model(
      {{1, 1, 2}, {{"a", Linear{.outputs = 2, .bias = false}, {0}}, {"relu", Relu{}, {1}}}});
  PackedModel packed(model, 1);
  const std::vector<float> y =
      run(packed.executor(), {std::numeric_limits<float>::quiet_NaN(), 1.0F}, 1);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
}

TEST(ExecutorTest, ReluOfTheLastLayerIsApplied) {
  const Model model =
      drawn_model({{1, 1, 3}, {{"a", Linear{.outputs = 40}, {0}}, {"relu", Relu{}, {1}}}});
  PackedModel packed(model, 1);
  EXPECT_THAT(run(packed.executor(), {1, -2, 3}, 1), Each(Ge(0.0F)));
}

TEST(ExecutorTest, LayersShareTheLargestWorkspace) {
  StainingKernel small(64);
  StainingKernel large(1024);
  const Linear layer{.outputs = 4, .bias = false};
  const Model model =
      drawn_model({{1, 1, 4}, {{"a", layer, {0}}, {"b", layer, {1}}, {"c", layer, {2}}}});
  Prepared* const kernels[] = {&small, &large, &small};
  Executor executor(model, kernels, 1, 1);
  EXPECT_EQ(executor.workspace_bytes(), 1024U);
  const std::vector<float> x{1, 2, 3, -4};
  std::vector<float> y(4);
  executor.run({x.data(), 1, 4}, {y.data(), 1, 4});
  EXPECT_THAT(y, ::testing::ElementsAre(8, 16, 24, -32));
}

TEST(ExecutorTest, RefusesBatchesThatDoNotFit) {
  PackedModel packed(drawn_model(three_layers()), 2);
  std::vector<float> x(3 * 9);
  std::vector<float> y(3 * 4);
  Executor& executor = packed.executor();
  EXPECT_THROW(executor.run({x.data(), 3, 5}, {y.data(), 3, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 0, 5}, {y.data(), 0, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 1, 4}, {y.data(), 1, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 1, 5}, {y.data(), 1, 2}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 2, 5}, {y.data(), 1, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 2, 5, 9}, {y.data(), 2, 3}), std::invalid_argument);
  EXPECT_THROW(executor.run({x.data(), 2, 5}, {y.data(), 2, 3, 4}), std::invalid_argument);
  EXPECT_NO_THROW(executor.run({x.data(), 2, 5}, {y.data(), 2, 3}));
}

TEST(ExecutorTest, NeedsAKernelForEveryLayerAndAGraph) {
  StainingKernel kernel(0);
  Prepared* const three[] = {&kernel, &kernel, &kernel};
  Model model = drawn_model(three_layers());
  EXPECT_NO_THROW(Executor(model, three, 1, 1));
  EXPECT_THROW(Executor(model, std::span(three).first(2), 1, 1), std::invalid_argument);
  EXPECT_THROW(Executor(model, three, 0, 1), std::invalid_argument);
  Prepared* const gap[] = {&kernel, nullptr, &kernel};
  EXPECT_THROW(Executor(model, gap, 1, 1), std::invalid_argument);
  model.graph.nodes[2].inputs = {7};
  EXPECT_THROW(Executor(model, three, 1, 1), InputError);
  EXPECT_THROW(Executor({"empty", "none", {{1, 1, 1}, {}}, {}}, {}, 1, 1), InputError);
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
  const Model model = drawn_model(three_layers());
  const ClassificationSet set = noise(11);
  std::vector<std::uint8_t> wanted;
  for (std::int64_t i = 0; i < set.count; ++i) {
    std::vector<float> x(5);
    fill_batch(set, i, {x.data(), 1, 5});
    const std::vector<double> y = naive_forward(model, {x.data(), 1, 5});
    wanted.push_back(static_cast<std::uint8_t>(std::max_element(y.begin(), y.end()) - y.begin()));
  }
  for (const std::int64_t batch : {1, 4, 11, 16}) {
    EXPECT_EQ(predict(PackedModel(model, batch).executor(), set), wanted) << batch;
  }
  EXPECT_EQ(predict(PackedModel(model, 5).executor(), set, 3), wanted);
}

TEST(EvaluateTest, RefusesASetOfAnotherShape) {
  PackedModel packed(drawn_model(three_layers()), 4);
  ClassificationSet set = noise(2);
  set.classes = 4;
  EXPECT_THROW(predict(packed.executor(), set), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
