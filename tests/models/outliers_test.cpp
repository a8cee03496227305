#include "models/outliers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "models/catalogue.hpp"
#include "models/decoder.hpp"
#include "tests/models/packed_model.hpp"
#include "tests/models/sample_nets.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kTokens = 24;

std::vector<float> text() {
  std::vector<float> ids;
  for (std::int64_t i = 0; i < kTokens; ++i) ids.push_back(static_cast<float>((i * 7) % 19));
  return ids;
}

/// The scores of a text; and of each layer's input the largest magnitude of every channel.
std::vector<float> run(const Model& model, std::vector<std::vector<float>>* largest = nullptr) {
  PackedModel packed(model, 1);
  Executor& executor = packed.executor();
  if (largest != nullptr) {
    executor.set_hook([&](std::size_t, ConstMatrix input, ConstMatrix) {
      std::vector<float>& of_layer = largest->emplace_back(input.cols);
      for (std::int64_t i = 0; i < input.rows; ++i) {
        for (std::int64_t c = 0; c < input.cols; ++c) {
          float& most = of_layer[static_cast<std::size_t>(c)];
          most = std::max(most, std::fabs(input.row(i)[c]));
        }
      }
    });
  }
  const std::vector<float> ids = text();
  std::vector<float> scores(static_cast<std::size_t>(executor.outputs()));
  executor.run({ids.data(), 1, kTokens}, {scores.data(), 1, executor.outputs()});
  return scores;
}

Decoder small(const Operator& norm, bool gated) {
  Decoder decoder{.vocabulary = 19,
                  .context = kTokens,
                  .channels = 32,
                  .layers = 2,
                  .heads = 4,
                  .kv_heads = 2,
                  .head = 8,
                  .feed_forward = 40,
                  .norm = RmsNorm{},
                  .positions = Rotary{.head = 8},
                  .activation = Silu{},
                  .gated = gated};
  if (std::holds_alternative<LayerNorm>(norm)) decoder.norm = LayerNorm{};
  return decoder;
}

TEST(OutliersTest, TheFunctionIsTheSame) {
  for (const Operator& norm : {Operator(RmsNorm{}), Operator(LayerNorm{})}) {
    const Model model = drawn_model(decoder_graph(small(norm, true)));
    const Model other = with_outlier_channels(model);
    EXPECT_NE(other.parameters, model.parameters);
    EXPECT_EQ(other.name, model.name + "-outliers");
    // Powers of two change no rounding, but for numbers too small to be normal.
    EXPECT_EQ(run(other), run(model));
  }
}

TEST(OutliersTest, AFewChannelsBehindNormsAreFarLargerThanTheRest) {
  const Model model = drawn_model(decoder_graph(small(RmsNorm{}, true)));
  std::vector<std::vector<float>> before, after;
  run(model, &before);
  const Model other = with_outlier_channels(model);
  run(other, &after);
  const std::vector<std::int64_t> channels = outlier_channels(model.name, 32);
  ASSERT_EQ(channels.size(), 6U);
  EXPECT_TRUE(std::ranges::is_sorted(channels));
  int changed = 0;
  for (std::size_t layer = 0; layer < before.size(); ++layer) {
    if (before[layer] == after[layer]) continue;  // behind an activation or the attention
    ++changed;
    for (std::size_t c = 0; c < before[layer].size(); ++c) {
      const auto place = std::ranges::find(channels, static_cast<std::int64_t>(c));
      const float factor =
          place == channels.end()
              ? 1
              : kOutlierFactors[static_cast<std::size_t>(place - channels.begin()) % 2];
      EXPECT_EQ(after[layer][c], before[layer][c] * factor) << layer << " " << c;
    }
  }
  EXPECT_EQ(changed, 2 * 5 + 1);  // q, k, v, gate and up of two blocks, and the head
}

TEST(OutliersTest, TheCatalogueHasTheLanguageModelSo) {
  const ModelInfo info = model_info("gcide-lm-outliers");
  EXPECT_EQ(info.name, "gcide-lm-outliers");
  EXPECT_EQ(info.dataset, "gcide");
  EXPECT_EQ(info.vocabulary, 256);
}

}  // namespace
}  // namespace qassay
