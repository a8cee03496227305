#include "models/shapes.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>

#include "models/catalogue.hpp"
#include "tests/datasets/faults.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// The counts that the models are published with; of gpt3-175b and whisper-medium rounded ones are
/// (175 billion; Whisper's table has 769 million), and these are what their shapes make.
TEST(ShapesTest, HaveThePublishedCountsOfParameters) {
  const auto total = [](const char* name) { return shape_info(name).parameters.total(); };
  EXPECT_EQ(total("shape:llama-160m"), 162'417'408);
  EXPECT_EQ(total("shape:llama-1b"), 1'235'814'400);
  EXPECT_EQ(total("shape:llama-7b"), 6'738'415'616);
  EXPECT_EQ(total("shape:mistral-7b"), 7'241'732'096);
  EXPECT_EQ(total("shape:qwen2-7b"), 7'615'616'512);
  EXPECT_EQ(total("shape:gpt3-175b"), 174'604'259'328);
  EXPECT_EQ(total("shape:whisper-medium"), 763'857'920);
  EXPECT_EQ(shape_names().size(), 7U);
}

/// Llama-2-7b: 32 layers of 4 x 4096^2 and 3 x 4096 x 11008, tables of 32,000.
TEST(ShapesTest, CountsParametersByKind) {
  const ModelShape shape = shape_info("shape:llama-7b");
  EXPECT_EQ(shape.parameters.layers, 32LL * (4 * 4096 * 4096 + 3 * 4096 * 11008));
  EXPECT_EQ(shape.parameters.head, 32000 * 4096);
  EXPECT_EQ(shape.parameters.embeddings, 32000 * 4096);
  EXPECT_EQ(shape.parameters.norms, 65 * 4096);
  EXPECT_EQ(shape.parameters.biases, 0);
  EXPECT_FALSE(shape.tied);
  EXPECT_EQ(shape.outside_graph.total(), 0);
  const ModelShape gpt3 = shape_info("shape:gpt3-175b");
  EXPECT_TRUE(gpt3.tied);
  EXPECT_EQ(gpt3.parameters.head, 0);
  EXPECT_EQ(gpt3.parameters.embeddings, (50257 + 2048) * 12288);
  EXPECT_EQ(gpt3.parameters.norms, 193 * 2 * 12288);
  EXPECT_EQ(gpt3.parameters.biases, 96 * (4 + 4 + 1) * 12288);
  EXPECT_EQ(shape_info("shape:qwen2-7b").parameters.biases, 28 * (3584 + 2 * 512));
}

TEST(ShapesTest, CountTheBytesOfTheKvCache) {
  const auto bytes = [](const char* name, KvFormat format) {
    return shape_info(name).kv_bytes(format);
  };
  EXPECT_EQ(bytes("shape:llama-7b", KvFormat::fp16), 512 * 1024);
  EXPECT_EQ(bytes("shape:llama-7b", KvFormat::fp32), 1024 * 1024);
  EXPECT_EQ(bytes("shape:llama-7b", KvFormat::int8), 32 * 2 * (4096 + 32 * 4));
  EXPECT_EQ(bytes("shape:llama-1b", KvFormat::fp16), 32 * 1024);
  EXPECT_EQ(bytes("shape:mistral-7b", KvFormat::fp16), 128 * 1024);
  EXPECT_EQ(bytes("shape:qwen2-7b", KvFormat::fp16), 56 * 1024);
  EXPECT_EQ(bytes("shape:gpt3-175b", KvFormat::fp16), 4608 * 1024);
  EXPECT_EQ(bytes("shape:whisper-medium", KvFormat::fp16), 96 * 1024);
}

TEST(ShapesTest, KnowTheContextAndHaveAGraphOfLess) {
  EXPECT_EQ(shape_info("shape:llama-1b").context, 131072);
  EXPECT_EQ(shape_info("shape:llama-1b").graph.input, (Extent{1, kShapeContext, 1}));
  EXPECT_EQ(shape_info("shape:llama-1b", 5).graph.input, (Extent{1, 5, 1}));
  EXPECT_EQ(shape_info("shape:llama-1b", 5).parameters.total(), 1'235'814'400);
  EXPECT_EQ(shape_info("shape:llama-160m", 1 << 20).graph.input, (Extent{1, 2048, 1}));
  EXPECT_EQ(shape_info("shape:whisper-medium").graph.input, (Extent{1, 3000, 80}));
  EXPECT_EQ(shape_info("shape:whisper-medium").context, 448);
}

TEST(ShapesTest, WhisperIsItsEncoderAndACountOfTheRest) {
  const ModelShape shape = shape_info("shape:whisper-medium");
  const std::vector<Extent> extents = infer_extents(shape.graph);
  EXPECT_EQ(extents.back(), (Extent{1, 1500, 1024}));
  EXPECT_EQ(shape.outside_graph.total(), 456'641'536);
  std::int64_t in_graph = 0;
  for (const ParameterShape& parameter : parameter_shapes(shape.graph)) {
    std::int64_t size = 1;
    for (const std::int64_t dim : parameter.dims) size *= dim;
    in_graph += size;
  }
  EXPECT_EQ(in_graph, 307'216'384);
  EXPECT_EQ(in_graph + shape.outside_graph.total(), shape.parameters.total());
}

TEST(ShapesTest, AreKnownToTheCatalogue) {
  EXPECT_THAT(shape_names(), Contains("shape:gpt3-175b"));
  const ModelInfo info = model_info("shape:gpt3-175b");
  EXPECT_EQ(info.name, "shape:gpt3-175b");
  EXPECT_EQ(info.dataset, "");
  EXPECT_EQ(info.layers.size(), 96U * 6 + 1);
  for (const char* name : {"shape:gpt4", "shape:", "llama-7b"}) {
    EXPECT_FALSE(is_shape(name));
    EXPECT_THAT(fault_of([&] { shape_info(name); }),
                AllOf(HasSubstr("is no known shape"), HasSubstr("shape:llama-7b")));
  }
}

double deviation(const Tensor& tensor) {
  double squares = 0;
  for (const float value : tensor.values) squares += static_cast<double>(value) * value;
  return std::sqrt(squares / static_cast<double>(tensor.values.size()));
}

TEST(ShapesTest, DrawWeightsFromASeed) {
  Tensor first;
  for (const std::uint64_t seed : {1, 2}) {
    const Model model = shape_model("shape:llama-160m", 16, seed);
    EXPECT_NO_THROW(check_model(model, "shape"));
    EXPECT_EQ(model.graph.input, (Extent{1, 16, 1}));
    const Tensor& down = model.parameters.at("layers.3.down_proj.weight");
    EXPECT_NEAR(deviation(down) * std::sqrt(3072), 1, 0.01);
    EXPECT_NEAR(deviation(model.parameters.at("embed_tokens.weight")) * std::sqrt(768), 1, 0.01);
    EXPECT_EQ(model.parameters.at("norm.weight").values, std::vector<float>(768, 1.0F));
    EXPECT_NE(down, model.parameters.at("layers.4.down_proj.weight"));
    EXPECT_NE(down, first);
    first = down;
  }
}

TEST(ShapesTest, RefuseWeightsThatMemoryDoesNotHold) {
  constexpr double kNeeded = 4 * 174.6e9;
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (memory > kNeeded) GTEST_SKIP() << "this machine holds them";
  EXPECT_THAT(fault_of([] { load_model("shape:gpt3-175b", 1); }),
              HasSubstr("shape:gpt3-175b: takes 653 GiB for its weights in FP32"));
}

}  // namespace
}  // namespace qassay
