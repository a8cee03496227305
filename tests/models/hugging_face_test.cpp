// Models of Hugging Face: their scores against those of a second implementation, in double.

#include "models/import/hugging_face.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>

#include "core/half.hpp"
#include "core/seed.hpp"
#include "models/catalogue.hpp"
#include "models/model_folder.hpp"
#include "models/safetensors.hpp"
#include "models/train/training_graph.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/hugging_face_forward.hpp"
#include "tests/models/hugging_face_sample.hpp"

namespace qassay {
namespace {

constexpr std::uint64_t kSeeds = 20;

class HuggingFaceTest : public ::testing::TestWithParam<std::string> {
 protected:
  Model load(const HuggingFaceSample& sample, std::int64_t context = 0) const {
    write_hugging_face(sample, folder_.path() / "tiny");
    return load_model_folder(folder_.path() / "tiny", context);
  }

  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Architectures, HuggingFaceTest,
                         ::testing::ValuesIn(hugging_face_architectures()),
                         [](const auto& each) { return each.param; });

TEST_P(HuggingFaceTest, ScoresAreThoseOfASecondImplementation) {
  if (const auto refusal = training_missing()) GTEST_SKIP() << refusal->reason;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const HuggingFaceSample sample = drawn_hugging_face(GetParam(), seed);
    Random random(seed);
    std::vector<std::size_t> ids(12 + random.below(8));
    for (std::size_t& id : ids) id = random.below(23);
    const std::vector<float> x(ids.begin(), ids.end());
    const auto length = static_cast<std::int64_t>(ids.size());

    Model model = load(sample, length);
    ASSERT_NO_THROW(check_model(model, "imported"));
    TrainingGraph graph(model, 1, 1);
    const ConstMatrix scores = graph.forward({x.data(), 1, length}, Mode::inference);
    const std::vector<std::vector<double>> expected =
        hugging_face_scores(sample.config, sample.tensors, ids);
    double largest = 0;
    double error = 0;
    for (std::size_t p = 0; p < ids.size(); ++p) {
      for (std::size_t token = 0; token < expected[p].size(); ++token) {
        largest = std::max(largest, std::fabs(expected[p][token]));
        const double score = scores.data[p * expected[p].size() + token];
        error = std::max(error, std::fabs(score - expected[p][token]));
      }
    }
    EXPECT_LT(error, 1e-4 * largest) << "seed " << seed << "\n" << sample.config.dump(1);
  }
}

TEST_P(HuggingFaceTest, IsNamedByItsFolderAndHasNoDataset) {
  const Model model = load(drawn_hugging_face(GetParam(), 1));
  EXPECT_EQ(model.name, "tiny");
  EXPECT_EQ(model.dataset, "");
  EXPECT_TRUE(takes_text(model.graph));
  EXPECT_EQ(load_model_folder(folder_.path() / "tiny/").name, "tiny");
  EXPECT_EQ(load_model((folder_.path() / "tiny").string(), 1), model);
  EXPECT_EQ(model_info((folder_.path() / "tiny").string()).layers, layer_shapes(model.graph));
}

TEST_P(HuggingFaceTest, CanBeSavedInOurOwnFormat) {
  const Model model = load(drawn_hugging_face(GetParam(), 2));
  save_model_folder(model, folder_.path() / "ours");
  EXPECT_EQ(load_model_folder(folder_.path() / "ours"), model);
}

/// A context changes the length of the texts, and nothing else.
TEST_P(HuggingFaceTest, TakesTheContextThatIsAskedForUpToItsOwn) {
  const HuggingFaceSample sample = drawn_hugging_face(GetParam(), 3);
  const Model whole = load(sample);
  const std::int64_t own = sample.config.contains("n_positions")
                               ? sample.config["n_positions"].get<std::int64_t>()
                               : sample.config["max_position_embeddings"].get<std::int64_t>();
  EXPECT_EQ(whole.graph.input, (Extent{1, own, 1}));
  EXPECT_EQ(load(sample, own + 1), whole);
  Model part = load(sample, 7);
  EXPECT_EQ(part.graph.input, (Extent{1, 7, 1}));
  part.graph.input = whole.graph.input;
  EXPECT_EQ(part, whole);
  save_model_folder(whole, folder_.path() / "ours");
  EXPECT_EQ(load_model_folder(folder_.path() / "ours", 7).graph.input, (Extent{1, 7, 1}));
}

/// Safetensors of 16-bit values, by hand; and what they are worth.
Parameters write_16_bits(const Parameters& tensors, const std::string& dtype,
                         const std::filesystem::path& path) {
  nlohmann::json header;
  std::string data;
  Parameters rounded;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t begin = data.size();
    rounded[name].dims = tensor.dims;
    for (const float value : tensor.values) {
      const std::uint16_t bits = dtype == "F16" ? f32_to_f16(value) : f32_to_bf16(value);
      data.append(reinterpret_cast<const char*>(&bits), sizeof bits);
      rounded[name].values.push_back(dtype == "F16" ? f16_to_f32(bits) : bf16_to_f32(bits));
    }
    header[name] = {
        {"dtype", dtype}, {"shape", tensor.dims}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  write_text(path,
             std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data);
  return rounded;
}

TEST_P(HuggingFaceTest, ReadsValuesOf16BitsExactly) {
  for (const char* dtype : {"F16", "BF16"}) {
    HuggingFaceSample sample = drawn_hugging_face(GetParam(), 4);
    load(sample);
    sample.tensors =
        write_16_bits(sample.tensors, dtype, folder_.path() / "tiny" / "model.safetensors");
    const Model read = load_model_folder(folder_.path() / "tiny");
    EXPECT_EQ(read, load(sample)) << dtype;
  }
}

TEST_P(HuggingFaceTest, ShardsAreTheSameModel) {
  const HuggingFaceSample sample = drawn_hugging_face(GetParam(), 5);
  const Model whole = load(sample);
  const std::filesystem::path folder = folder_.path() / "tiny";
  std::filesystem::remove(folder / "model.safetensors");
  Parameters shards[3];
  nlohmann::json map;
  std::size_t next = 0;
  for (const auto& [name, tensor] : sample.tensors) {
    const std::size_t shard = next++ % 3;
    shards[shard][name] = tensor;
    map[name] = "model-" + std::to_string(shard) + ".safetensors";
  }
  for (std::size_t i = 0; i < 3; ++i)
    write_safetensors(shards[i], {}, folder / ("model-" + std::to_string(i) + ".safetensors"));
  const nlohmann::json index{{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
  write_text(folder / "model.safetensors.index.json", index.dump());
  EXPECT_EQ(load_model_folder(folder), whole);
}

}  // namespace
}  // namespace qassay
