// Folders of Hugging Face whose files do not say the same.

#include <gmock/gmock.h>

#include <functional>

#include "models/import/hugging_face.hpp"
#include "models/safetensors.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/hugging_face_sample.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr const char* kTable = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kNorm = "model.norm.weight";

class HuggingFaceFolderTest : public ::testing::Test {
 protected:
  HuggingFaceFolderTest() {
    sample_ = drawn_hugging_face("LlamaForCausalLM", 0);
    sample_.config["tie_word_embeddings"] = true;
    sample_.tensors.erase(kHead);
  }

  std::string path(const char* file) const { return (folder_.path() / file).string(); }
  std::string load_fault() const {
    return fault_of([&] { load_hugging_face(folder_.path()); });
  }
  std::string fault_after(const std::function<void(HuggingFaceSample&)>& change) const {
    HuggingFaceSample changed = sample_;
    change(changed);
    write_hugging_face(changed, folder_.path());
    return load_fault();
  }

  /// Two shards, all in the first but the norm, and their index.
  void write_shards() {
    write_hugging_face(sample_, folder_.path());
    std::filesystem::remove(path("model.safetensors"));
    first_ = sample_.tensors;
    second_[kNorm] = first_.extract(kNorm).mapped();
    for (const auto& [name, tensor] : sample_.tensors)
      index_["weight_map"][name] = name == kNorm ? "b.safetensors" : "a.safetensors";
    write_again();
  }
  void write_again() const {
    write_safetensors(first_, {}, path("a.safetensors"));
    write_safetensors(second_, {}, path("b.safetensors"));
    write_text(path("model.safetensors.index.json"), index_.dump());
  }

  TemporaryFolder folder_;
  HuggingFaceSample sample_;
  Parameters first_, second_;
  Json index_;
};

TEST_F(HuggingFaceFolderTest, RefusesTensorsOfOtherShapesSayingBoth) {
  const std::int64_t channels = sample_.config["hidden_size"];
  EXPECT_EQ(fault_after([](HuggingFaceSample& sample) { sample.config["vocab_size"] = 24; }),
            path("model.safetensors") + ": " + kTable + ": is [23, " + std::to_string(channels) +
                "], but config.json makes it [24, " + std::to_string(channels) +
                "]; correct config.json, or copy the right file");
  EXPECT_THAT(fault_after([](HuggingFaceSample& sample) {
                sample.tensors["model.layers.1.mlp.down_proj.weight"].dims = {1, 2};
                sample.tensors["model.layers.1.mlp.down_proj.weight"].values = {1, 2};
              }),
              AllOf(HasSubstr("model.layers.1.mlp.down_proj.weight"), HasSubstr("is [1, 2]")));
}

TEST_F(HuggingFaceFolderTest, RefusesMissingTensors) {
  for (const char* name : {kTable, kNorm, "model.layers.2.self_attn.k_proj.weight"}) {
    EXPECT_THAT(
        fault_after([&](HuggingFaceSample& sample) { sample.tensors.erase(name); }),
        AllOf(StartsWith(folder_.path().string()), HasSubstr(std::string(name) + ": is missing")));
  }
  EXPECT_THAT(
      fault_after([](HuggingFaceSample& sample) { sample.config["tie_word_embeddings"] = false; }),
      HasSubstr("lm_head.weight: is missing"));
}

TEST_F(HuggingFaceFolderTest, RefusesTensorsThatItDoesNotKnow) {
  for (const char* name : {"model.layers.3.mlp.up_proj.weight", "model.norm.bias", "more",
                           "model.layers.0.self_attn.q_norm.weight", "model.layers.x",
                           "model.layers.0.self_attn.rotary_emb.inv_freq.scale"}) {
    EXPECT_EQ(fault_after([&](HuggingFaceSample& sample) {
                sample.tensors[name] = {{1}, {1}};
              }),
              path("model.safetensors") + ": " + name +
                  ": is a tensor that config.json has no place for; remove it, or correct "
                  "config.json");
  }
}

TEST_F(HuggingFaceFolderTest, ATiedHeadMayBeThereIfItSaysTheSame) {
  HuggingFaceSample beside = sample_;
  beside.tensors[kHead] = beside.tensors[kTable];
  write_hugging_face(beside, folder_.path());
  EXPECT_EQ(load_hugging_face(folder_.path()).parameters.at(kHead), beside.tensors[kTable]);
  EXPECT_THAT(fault_after([](HuggingFaceSample& sample) {
                sample.tensors[kHead] = sample.tensors[kTable];
                sample.tensors[kHead].values.back() += 1;
              }),
              HasSubstr("lm_head.weight: has other values than the table of tokens"));
  EXPECT_THAT(fault_after([](HuggingFaceSample& sample) {
                sample.tensors[kHead] = {{1}, {1}};
              }),
              HasSubstr("lm_head.weight: is [1], but"));
}

TEST_F(HuggingFaceFolderTest, RefusesOtherTypesAndValuesThatAreNotFinite) {
  EXPECT_THAT(fault_after([](HuggingFaceSample& sample) {
                sample.tensors[kNorm].values[1] = std::numeric_limits<float>::infinity();
              }),
              HasSubstr("model.norm.weight: has the value inf at index 1"));
}

TEST_F(HuggingFaceFolderTest, SaysWhatIsMissingInTheFolder) {
  EXPECT_THAT(load_fault(), StartsWith(path("config.json") + ": cannot be read"));
  write_hugging_face(sample_, folder_.path());
  std::filesystem::remove(path("model.safetensors"));
  EXPECT_EQ(load_fault(), folder_.path().string() +
                              ": has neither model.safetensors nor model.safetensors.index.json; "
                              "convert the weights to safetensors");
}

TEST_F(HuggingFaceFolderTest, ShardsAndIndexHaveToAgree) {
  write_shards();
  EXPECT_NO_THROW(load_hugging_face(folder_.path()));
  const Json index = index_;

  index_["weight_map"][kNorm] = "c.safetensors";
  write_again();
  EXPECT_THAT(load_fault(), AllOf(StartsWith(path("model.safetensors.index.json")),
                                  HasSubstr("names c.safetensors, which is not there")));

  index_ = index;
  index_["weight_map"][kTable] = "b.safetensors";
  write_again();
  EXPECT_THAT(load_fault(), AllOf(StartsWith(path("a.safetensors") + ": " + kTable),
                                  HasSubstr("is in b.safetensors by the index")));

  index_ = index;
  index_["weight_map"]["more"] = "b.safetensors";
  write_again();
  EXPECT_THAT(load_fault(), AllOf(StartsWith(path("model.safetensors.index.json")),
                                  HasSubstr("more: is not in b.safetensors")));

  index_ = index;
  index_["weight_map"].erase(kTable);
  write_again();
  EXPECT_THAT(load_fault(), AllOf(StartsWith(path("a.safetensors") + ": " + kTable),
                                  HasSubstr("is a tensor that the index does not list")));

  index_ = index;
  second_[kTable] = first_[kTable];
  write_again();
  EXPECT_THAT(load_fault(), AllOf(StartsWith(path("b.safetensors") + ": " + kTable),
                                  HasSubstr("is in a.safetensors by the index")));
}

TEST_F(HuggingFaceFolderTest, ShardsLieInTheFolder) {
  write_shards();
  const Json index = index_;
  for (const char* name : {"../a.safetensors", "/a.safetensors", "a.bin", "", "x/a.safetensors"}) {
    index_["weight_map"][kNorm] = name;
    write_again();
    EXPECT_THAT(load_fault(), HasSubstr("which is no safetensors file of the folder")) << name;
  }
  index_["weight_map"][kNorm] = 3;
  write_again();
  EXPECT_THAT(load_fault(), HasSubstr("wrong type"));
  index_ = Json{{"weights", 1}};
  write_again();
  EXPECT_THAT(load_fault(), HasSubstr("weights: is not a known key"));
  index_ = Json::object();
  write_again();
  EXPECT_THAT(load_fault(), HasSubstr("'weight_map' is missing"));
  write_text(path("model.safetensors.index.json"),
             R"({"weight_map": {"a": "a.safetensors", "a": "b.safetensors"}})");
  EXPECT_THAT(load_fault(), HasSubstr("key 'a' twice"));
}

}  // namespace
}  // namespace qassay
