// Checkpoints of GPTQ that are written here: read back bit for bit, and packed once more by hand.

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "models/import/gptq_folder.hpp"
#include "models/import/hugging_face.hpp"
#include "models/import/quantized_folder.hpp"
#include "quantizers/quantize_model.hpp"
#include "quantizers/round_to_nearest.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/quantized_folder_sample.hpp"

namespace qassay {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;
using Layers = std::map<std::string, QuantMatrix>;

/// Three layers of q, k and v in one, their weights turned.
HuggingFaceSample even_gpt2() {
  HuggingFaceSample sample;
  sample.config = {{"architectures", {"GPT2LMHeadModel"}},
                   {"vocab_size", 24},
                   {"n_positions", 12},
                   {"n_embd", 32},
                   {"n_layer", 1},
                   {"n_head", 4}};
  const auto add = [&](const std::string& name, std::vector<std::int64_t> dims) {
    const std::int64_t count = dims.size() == 2 ? dims[0] * dims[1] : dims[0];
    sample.tensors[name] = {std::move(dims), normal_numbers(count, name, 0.5F)};
  };
  add("wte.weight", {24, 32});
  add("wpe.weight", {12, 32});
  for (const char* norm : {"h.0.ln_1", "h.0.ln_2", "ln_f"}) {
    add(std::string(norm) + ".weight", {32});
    add(std::string(norm) + ".bias", {32});
  }
  const auto linear = [&](const std::string& name, std::int64_t k, std::int64_t n) {
    add(name + ".weight", {k, n});
    add(name + ".bias", {n});
  };
  linear("h.0.attn.c_attn", 32, 96);
  linear("h.0.attn.c_proj", 32, 32);
  linear("h.0.mlp.c_fc", 32, 128);
  linear("h.0.mlp.c_proj", 128, 32);
  return sample;
}

Layers quantized(const Model& model, const std::string& scheme, bool head) {
  Layers layers;
  for (const LayerShape& shape : layer_shapes(model.graph)) {
    if (shape.name == "lm_head" && !head) continue;
    layers.emplace(shape.name,
                   round_to_nearest(layer_of(model, shape).matrix(), parse_scheme(scheme)));
  }
  return layers;
}

class GptqFolderTest : public ::testing::Test {
 protected:
  Model load(const HuggingFaceSample& sample) {
    write_hugging_face(sample, source());
    return load_hugging_face(source());
  }
  std::filesystem::path source() const { return folder_.path() / "source"; }
  std::filesystem::path target() const { return folder_.path() / "deep" / "target"; }

  void expect_read_back(const Model& model, const Layers& layers) {
    write_gptq_folder(source(), model, layers, target());
    const QuantizedFolder read = read_quantized_folder(target());
    ASSERT_EQ(read.layers.size(), layers.size());
    for (const auto& [name, layer] : layers) {
      SCOPED_TRACE(name);
      const QuantMatrix& same = read.layers.at(name);
      EXPECT_EQ(same.scheme, layer.scheme);
      EXPECT_EQ(same.codes, layer.codes);
      EXPECT_EQ(same.scales, layer.scales);
      EXPECT_EQ(same.zero_points, layer.zero_points);
    }
    EXPECT_EQ(read.model.graph, model.graph);
    for (const auto& [name, tensor] : model.parameters) {
      const std::string node = name.substr(0, name.rfind('.'));
      const bool weight = name.ends_with(".weight");
      if (weight && layers.contains(node)) {
        EXPECT_EQ(read.model.parameters.at(name).values, dequantize(layers.at(node))) << name;
      } else {
        EXPECT_EQ(read.model.parameters.at(name), tensor) << name;
      }
    }
  }
  Json config() const {
    std::ifstream file(target() / "config.json");
    return Json::parse(file);
  }

  TemporaryFolder folder_;
};

TEST_F(GptqFolderTest, ReadsBackWhatItWrote) {
  for (const HuggingFaceSample& sample : {even_llama(false), even_llama(true), even_gpt2()}) {
    const Model model = load(sample);
    for (const char* scheme : {"W2A16-g16-asym", "W4A16-g16", "W4A16-g24", "W4A16-asym", "W8A16"}) {
      SCOPED_TRACE(sample.architecture() + " " + scheme);
      for (const bool head : {false, true}) {
        if (head && model.parameters.at("lm_head.weight").dims[0] % 16 != 0) continue;
        expect_read_back(model, quantized(model, scheme, head));
      }
    }
  }
}

// What was evaluated in the process that quantized is what a run of the checkpoint evaluates.
TEST_F(GptqFolderTest, ReadsBackWhatMethodsMade) {
  const Model model = load(even_llama(false));
  CalibrationInputs inputs{.values = {}, .samples = 16, .features = 16};
  Random random(seed_from_name("tokens"));
  for (int i = 0; i < 16 * 16; ++i) inputs.values.push_back(static_cast<float>(random.below(48)));
  for (const char* method : {"gptq-act@16", "awq@16"}) {
    for (const char* scheme : {"W4A16-g16", "W4A16-g16-asym"}) {
      SCOPED_TRACE(std::string(method) + " " + scheme);
      const QuantizedModel quantized = quantize_model(
          model, parse_method(method), parse_scheme(scheme), &inputs, 1, {}, GraphChange::none);
      const std::vector<LayerShape> shapes = layer_shapes(model.graph);
      Layers layers;
      for (std::size_t i = 0; i + 1 < shapes.size(); ++i)  // lm_head is the last
        layers.emplace(shapes[i].name, quantized.layers[i]);
      expect_read_back(quantized.model, layers);
    }
  }
}

TEST_F(GptqFolderTest, WritesWhatItsReadersAreDocumentedToRead) {
  const Model model = load(even_llama(true, 4, 96));
  for (const char* scheme : {"W4A16-g16", "W2A16-g24", "W3A16-g16", "W8A16-g16"}) {
    const Layers layers = quantized(model, scheme, false);
    write_gptq_folder(source(), model, layers, target());
    const QuantMatrix& layer = layers.at("layers.1.down_proj");
    const NumberFormat& weights = layer.scheme.weights;
    const PlainLayer plain{layer.n,
                           layer.k,
                           weights.block,
                           weights.bits,
                           {layer.codes.begin(), layer.codes.end()},
                           std::vector<int>(layer.scales.size(), 1 << (weights.bits - 1)),
                           layer.scales};
    const NaivePacker packer(plain);
    const std::map<std::string, RawTensor> expected{{"qweight", packer.gptq_weights()},
                                                    {"qzeros", packer.gptq_zeros(1)},
                                                    {"scales", packer.scales()},
                                                    {"g_idx", packer.groups()}};
    std::size_t found = 0;
    const Safetensors file(target() / "model.safetensors");
    for (const TensorEntry& entry : file.entries()) {
      const std::string name = "model.layers.1.mlp.down_proj.";
      if (!entry.name.starts_with(name)) continue;
      const RawTensor& same = expected.at(entry.name.substr(name.size()));
      EXPECT_EQ(entry.dtype, same.dtype);
      EXPECT_EQ(entry.dims, same.dims);
      EXPECT_TRUE(std::ranges::equal(entry.bytes, same.bytes)) << entry.name;
      ++found;
    }
    EXPECT_EQ(found, expected.size());
    const Json said = config()["quantization_config"];
    EXPECT_EQ(said["quant_method"], "gptq");
    EXPECT_EQ(said["bits"], weights.bits);
    EXPECT_EQ(said["group_size"], weights.block);
    EXPECT_EQ(said["checkpoint_format"], "gptq");
    EXPECT_EQ(said["sym"], true);
  }
}

TEST_F(GptqFolderTest, TakesTheSecondFormatForZeroPointsOf0) {
  const Model model = load(even_llama(false));
  Layers layers = quantized(model, "W4A16-g16-asym", false);
  layers.at("layers.0.q_proj").zero_points[5] = 0;
  expect_read_back(model, layers);
  EXPECT_EQ(config()["quantization_config"]["checkpoint_format"], "gptq_v2");
}

TEST_F(GptqFolderTest, WritesParametersThatHaveChanged) {
  for (const HuggingFaceSample& sample : {even_llama(true), even_gpt2()}) {
    Model model = load(sample);
    const Layers layers = quantized(model, "W4A16-g16", false);
    for (auto& [name, tensor] : model.parameters) tensor.values.back() += 1;
    expect_read_back(model, layers);
    EXPECT_EQ(config()["tie_word_embeddings"], false);
  }
}

TEST_F(GptqFolderTest, TakesTheTokenizerAlong) {
  const Model model = load(even_llama(false));
  write_text(source() / "tokenizer.model", "of a tokenizer");
  write_text(source() / "README.md", "of others");
  write_gptq_folder(source(), model, quantized(model, "W4A16", false), target());
  std::ifstream file(target() / "tokenizer.model");
  std::string line;
  EXPECT_TRUE(std::getline(file, line));
  EXPECT_EQ(line, "of a tokenizer");
  EXPECT_FALSE(std::filesystem::exists(target() / "README.md"));
}

TEST_F(GptqFolderTest, RefusesWhatTheFormatCannotSay) {
  const Model model = load(even_gpt2());
  const auto fault = [&](const Layers& layers) {
    return fault_of([&] { write_gptq_folder(source(), model, layers, target()); });
  };
  for (const char* scheme : {"W5A16", "W8A8", "FP16", "W4A16-tensor"})
    EXPECT_THAT(fault(quantized(model, scheme, false)), HasSubstr(scheme));
  Layers layers = quantized(model, "W4A16", false);
  const Layers others = quantized(model, "W8A16", false);
  layers.at("layers.0.up_proj") = others.at("layers.0.up_proj");
  EXPECT_THAT(fault(layers), HasSubstr("quantize all layers in one scheme"));
  layers = quantized(model, "W4A16", false);
  layers.erase("layers.0.k_proj");
  EXPECT_THAT(fault(layers), HasSubstr("h.0.attn.c_attn.weight: is quantized in part"));
  EXPECT_THAT(fault(quantized(model, "W2A16", true)), HasSubstr("lm_head: is [24, 32]"));
  layers = quantized(model, "W4A16", false);
  EXPECT_THAT(fault_of([&] { write_gptq_folder(source(), model, layers, source()); }),
              HasSubstr("is the folder of the model itself"));
  EXPECT_FALSE(std::filesystem::exists(target() / "config.json"));
  write_gptq_folder(source(), model, layers, target());
  EXPECT_THAT(
      fault_of([&] { write_gptq_folder(target(), model, layers, folder_.path() / "again"); }),
      HasSubstr("is quantized already"));
  layers["no_such_layer"] = layers.begin()->second;
  EXPECT_THROW(write_gptq_folder(source(), model, layers, target()), std::invalid_argument);
}

}  // namespace
}  // namespace qassay
