// Checkpoints of GPTQ and AWQ, packed here once more and by hand.

#include <gmock/gmock.h>

#include <functional>

#include "models/import/hugging_face.hpp"
#include "models/import/quantized_folder.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/quantized_folder_sample.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr const char* kLayer = "model.layers.1.mlp.down_proj";

/// A checkpoint with what its layers stand for, by tensor ("model.layers.0.mlp.up_proj").
struct Published {
  Json config;
  RawTensors tensors;
  std::map<std::string, PlainLayer> layers;

  Json& quantization() { return config["quantization_config"]; }
  void write(const std::filesystem::path& folder) const { write_raw(config, tensors, folder); }
};

struct PublishedKind {
  int bits = 4;
  std::int64_t group = 16;
  bool symmetric = false;
  bool with_0 = false;  // among the codes and zero points
  bool second_format = false;
  bool awq = false;
  bool act_order = false;
};

void add_packed(const std::string& name, const PlainLayer& layer, const PublishedKind& kind,
                RawTensors& tensors) {
  const NaivePacker packer(layer);
  tensors[name + ".scales"] = packer.scales();
  if (kind.awq) {
    tensors[name + ".qweight"] = packer.awq_weights();
    tensors[name + ".qzeros"] = packer.awq_zeros();
  } else {
    tensors[name + ".qweight"] = packer.gptq_weights();
    tensors[name + ".qzeros"] = packer.gptq_zeros(kind.second_format ? 0 : 1);
    tensors[name + ".g_idx"] = packer.groups();
  }
}

Published publish(const HuggingFaceSample& sample, const PublishedKind& kind) {
  Published made{sample.config, {}, {}};
  for (const auto& [tensor, values] : sample.tensors) {
    if (!is_projection(tensor)) {
      made.tensors[tensor] = raw_tensor("F32", values.dims, values.values);
      continue;
    }
    const std::string name = tensor.substr(0, tensor.rfind('.'));
    PlainLayer& layer = made.layers[name];
    layer = drawn_layer(values.dims[0], values.dims[1], kind.group, kind.bits, kind.symmetric,
                        kind.with_0, name);
    // Layers with one input have one Hessian, and so one order.
    if (kind.act_order)
      scatter_groups(layer, name.substr(0, name.rfind('.')) + std::to_string(layer.k));
    add_packed(name, layer, kind, made.tensors);
  }
  Json& config = made.quantization();
  config = {{"bits", kind.bits}, {"group_size", kind.group == 0 ? -1 : kind.group}};
  if (kind.awq) {
    config.update({{"quant_method", "awq"}, {"version", "GEMM"}, {"zero_point", true}});
  } else {
    config.update({{"quant_method", "gptq"},
                   {"sym", kind.symmetric},
                   {"desc_act", kind.act_order},
                   {"damp_percent", 0.01}});
    if (kind.second_format) config["checkpoint_format"] = "gptq_v2";
  }
  return made;
}

/// "model.layers.0.self_attn.q_proj" as the graph calls it.
std::string node_of(std::string tensor) {
  tensor = tensor.substr(std::string("model.").size());
  for (const std::string part : {"self_attn.", "mlp."}) {
    const std::size_t at = tensor.find(part);
    if (at != std::string::npos) tensor.erase(at, part.size());
  }
  return tensor;
}

/// `order`: the inputs that the columns are for; empty: as they come.
void expect_layer(const QuantMatrix& read, const PlainLayer& plain,
                  const std::vector<std::int64_t>& order, bool zeros) {
  ASSERT_EQ(read.n, plain.n);
  ASSERT_EQ(read.k, plain.k);
  std::vector<int> codes = plain.codes;
  for (std::size_t i = 0; i < codes.size() && !order.empty(); ++i) {
    const std::size_t row = i / order.size();
    codes[i] = plain.codes[row * order.size() + static_cast<std::size_t>(order[i % order.size()])];
  }
  EXPECT_EQ(std::vector<int>(read.codes.begin(), read.codes.end()), codes);
  EXPECT_EQ(read.scales, plain.scales);
  EXPECT_EQ(std::vector<int>(read.zero_points.begin(), read.zero_points.end()),
            zeros ? plain.zeros : std::vector<int>());
}

/// What the layer stands for, by input.
std::vector<float> values_of(const PlainLayer& plain) {
  std::vector<float> values;
  for (std::int64_t o = 0; o < plain.n; ++o) {
    for (std::int64_t i = 0; i < plain.k; ++i) {
      const auto code = static_cast<std::size_t>(o * plain.k + i);
      const auto group = static_cast<std::size_t>(o * plain.groups() + plain.group_at(i));
      values.push_back(static_cast<float>(plain.codes[code] - plain.zeros[group]) *
                       plain.scales[group]);
    }
  }
  return values;
}

void expect_published(const PublishedKind& kind, const std::string& scheme,
                      const HuggingFaceSample& sample = even_llama(false)) {
  SCOPED_TRACE(scheme);
  const TemporaryFolder folder;
  const Published published = publish(sample, kind);
  published.write(folder.path());
  const QuantizedFolder read = read_quantized_folder(folder.path());
  EXPECT_NO_THROW(check_model(read.model, "model"));
  ASSERT_EQ(read.layers.size(), published.layers.size());
  for (const auto& [tensor, plain] : published.layers) {
    SCOPED_TRACE(tensor);
    const QuantMatrix& layer = read.layers.at(node_of(tensor));
    EXPECT_EQ(to_string(layer.scheme), scheme);
    const auto order = read.orders.find(node_of(tensor));
    EXPECT_EQ(order == read.orders.end(), plain.group_of.empty());
    expect_layer(layer, plain,
                 order == read.orders.end() ? std::vector<std::int64_t>() : order->second,
                 layer.scheme.weights.zero_points);
    EXPECT_EQ(read.model.parameters.at(node_of(tensor) + ".weight").values, values_of(plain));
  }
  EXPECT_EQ(read.model.parameters.at("lm_head.weight"), sample.tensors.at("lm_head.weight"));
  EXPECT_EQ(read.model.parameters.at("norm.weight"), sample.tensors.at("model.norm.weight"));
}

TEST(QuantizedFolderTest, ReadsGptqInBothFormats) {
  for (const int bits : {2, 4, 8}) {
    const std::string name = "W" + std::to_string(bits) + "A16";
    for (const bool second : {false, true}) {
      const PublishedKind kind{.bits = bits, .with_0 = true, .second_format = second};
      expect_published(kind, name + "-g16-asym");
      PublishedKind other = kind;
      other.group = 0;
      expect_published(other, name + "-asym");
      other.symmetric = true;
      expect_published(other, name);
      other.group = 24;  // the last group of a row is short
      expect_published(other, name + "-g24");
    }
  }
}

TEST(QuantizedFolderTest, ReadsCodesThatCrossWords) {
  const HuggingFaceSample wide = even_llama(false, 4, 96);
  for (const bool second : {false, true}) {
    const PublishedKind kind{.bits = 3, .with_0 = second, .second_format = second};
    expect_published(kind, "W3A16-g16-asym", wide);
    PublishedKind other = kind;
    other.group = 0;
    other.symmetric = true;
    expect_published(other, "W3A16", wide);
  }
}

TEST(QuantizedFolderTest, ReadsGroupsOfActOrder) {
  expect_published({.act_order = true}, "W4A16-g16-asym");
  expect_published({.bits = 8, .group = 24, .symmetric = true, .act_order = true}, "W8A16-g24");
  expect_published({.bits = 3, .act_order = true}, "W3A16-g16-asym", even_llama(false, 4, 96));
}

TEST(QuantizedFolderTest, ReadsAwq) {
  expect_published({.with_0 = true, .awq = true}, "W4A16-g16-asym");
  expect_published({.group = 0, .with_0 = true, .awq = true}, "W4A16-asym");
}

class QuantizedFolderFaultTest : public ::testing::Test {
 protected:
  std::string fault_after(const std::function<void(Published&)>& change,
                          const PublishedKind& kind = {}) {
    Published published = publish(even_llama(true), kind);
    change(published);
    published.write(folder_.path());
    return fault_of([&] { read_quantized_folder(folder_.path()); });
  }
  std::string key_fault(const char* key, const Json& value, const PublishedKind& kind = {}) {
    return fault_after([&](Published& made) { made.quantization()[key] = value; }, kind);
  }
  std::string place(const char* tensor) const {
    return (folder_.path() / "model.safetensors").string() + ": " + kLayer + "." + tensor + ": ";
  }
  static RawTensor& tensor(Published& made, const char* own) {
    return made.tensors.at(std::string(kLayer) + "." + own);
  }

  TemporaryFolder folder_;
};

TEST_F(QuantizedFolderFaultTest, NamesTheKeyThatIsNotRead) {
  const std::string place = (folder_.path() / "config.json").string() + ": quantization_config";
  for (const auto& [key, value] :
       std::vector<std::pair<const char*, Json>>{{"quant_method", "bitsandbytes"},
                                                 {"quant_method", 4},
                                                 {"bits", 5},
                                                 {"bits", 16},
                                                 {"group_size", 0},
                                                 {"group_size", 8192},
                                                 {"sym", "yes"},
                                                 {"checkpoint_format", "marlin"},
                                                 {"is_marlin_format", true},
                                                 {"pack_dtype", "int16"},
                                                 {"dynamic", Json{{"lm_head", Json::object()}}}}) {
    EXPECT_THAT(key_fault(key, value), AllOf(StartsWith(place), HasSubstr(key)));
  }
  const PublishedKind awq{.awq = true};
  EXPECT_THAT(key_fault("version", "gemv", awq), HasSubstr("version: is 'gemv'"));
  EXPECT_THAT(key_fault("zero_point", false, awq), HasSubstr("zero_point"));
  EXPECT_THAT(key_fault("bits", 8, awq), HasSubstr("bits: is 8"));
  EXPECT_THAT(fault_after([](Published& made) { made.quantization().erase("quant_method"); }),
              HasSubstr("quant_method"));
  EXPECT_THAT(fault_after([](Published& made) { made.config.erase("quantization_config"); }),
              HasSubstr("has no quantization_config"));
  EXPECT_THAT(fault_after([](Published& made) {
                made.tensors.clear();
                for (const auto& [name, values] : even_llama(true).tensors)
                  made.tensors[name] = raw_tensor("F32", values.dims, values.values);
              }),
              HasSubstr("says that the weights are quantized, and none is"));
}

TEST(QuantizedFolderTest, SaysWhichFoldersAreQuantized) {
  const TemporaryFolder folder;
  EXPECT_THAT(fault_of([&] { is_quantized_folder(folder.path()); }), HasSubstr("config.json"));
  Published published = publish(even_llama(true), {});
  published.quantization()["quant_method"] = "another";
  published.write(folder.path());
  EXPECT_TRUE(is_quantized_folder(folder.path()));
  published.quantization() = nullptr;
  published.write(folder.path());
  EXPECT_FALSE(is_quantized_folder(folder.path()));
}

TEST_F(QuantizedFolderFaultTest, NamesTheTensorThatDoesNotFit) {
  for (const char* own : {"qweight", "qzeros", "scales"}) {
    EXPECT_THAT(fault_after([&](Published& made) {
                  tensor(made, own).dims = {1, 1, 2, 160};
                  tensor(made, own).bytes.resize(320 * (tensor(made, own).dtype == "F16" ? 2 : 4));
                }),
                AllOf(StartsWith(place(own)), HasSubstr("config.json makes it")));
  }
  for (const char* own : {"qzeros", "scales"}) {
    EXPECT_THAT(
        fault_after([&](Published& made) { made.tensors.erase(std::string(kLayer) + "." + own); }),
        HasSubstr(std::string(own) + ": is missing"));
  }
  for (const char* own : {"qweight", "qzeros", "g_idx"}) {
    EXPECT_THAT(fault_after([&](Published& made) { tensor(made, own).dtype = "F32"; }),
                AllOf(StartsWith(place(own)), HasSubstr("type F32 instead of I32")));
  }
  EXPECT_THAT(fault_after([](Published& made) {
                made.tensors["model.norm.qweight"] = tensor(made, "qweight");
              }),
              HasSubstr("model.norm.qweight: is a tensor that config.json has no place for"));
}

TEST_F(QuantizedFolderFaultTest, NamesScalesThatAreNone) {
  const auto with_scale = [&](std::uint16_t half) {
    return fault_after([&](Published& made) {
      std::memcpy(tensor(made, "scales").bytes.data() + 6, &half, sizeof half);
    });
  };
  EXPECT_THAT(with_scale(0x7C00), StartsWith(place("scales")));  // infinity
  EXPECT_THAT(with_scale(0x7E00), StartsWith(place("scales")));  // no number
  EXPECT_THAT(with_scale(0xBC00), AllOf(StartsWith(place("scales")), HasSubstr("-1")));
  const auto with_float = [&](float scale) {
    return fault_after([&](Published& made) {
      RawTensor& scales = tensor(made, "scales");
      std::vector<float> values(scales.bytes.size() / 2, 1);
      values[3] = scale;
      scales = raw_tensor("F32", scales.dims, values);
    });
  };
  EXPECT_THAT(with_float(0.1F), HasSubstr("which FP16 does not hold"));
  EXPECT_THAT(with_float(3e38F), StartsWith(place("scales")));
}

TEST_F(QuantizedFolderFaultTest, NamesZeroPointsThatAreNotSymmetric) {
  EXPECT_THAT(key_fault("checkpoint_format", "gptq_v2", {.symmetric = true}),
              HasSubstr("has a zero point of 7, though 'sym' makes it 8"));
}

TEST_F(QuantizedFolderFaultTest, NamesZeroPointsThatReadersDisagreeAbout) {
  Published published = publish(even_llama(true, 4, 96), {.bits = 3});
  RawTensor& zeros = tensor(published, "qzeros");
  zeros.bytes[0] |= std::byte{7};
  published.write(folder_.path());
  EXPECT_THAT(fault_of([&] { read_quantized_folder(folder_.path()); }),
              AllOf(StartsWith(place("qzeros")), HasSubstr("a zero point of 0, stored as 7")));
}

TEST_F(QuantizedFolderFaultTest, NamesGroupsThatAreNotFull) {
  const auto put = [&](std::int32_t group) {
    return fault_after([&](Published& made) {
      std::memcpy(tensor(made, "g_idx").bytes.data() + 4 * 17, &group, sizeof group);
    });
  };
  EXPECT_THAT(put(3),
              AllOf(StartsWith(place("g_idx")),
                    HasSubstr("has not 16 inputs in each of 5 groups: input 32 is in group 2")));
  EXPECT_THAT(put(5), HasSubstr("input 32 is in group 2"));
  EXPECT_THAT(put(-1), HasSubstr("input 32 is in group 2"));
  EXPECT_THAT(fault_after([](Published& made) {
                made.quantization()["desc_act"] = true;
                made.tensors.erase(std::string(kLayer) + ".g_idx");
              }),
              HasSubstr("g_idx: is missing"));
}

TEST_F(QuantizedFolderFaultTest, TakesBiasesThatSayNothingAndNoOthers) {
  Published published = publish(even_llama(true), {});
  RawTensor& bias = published.tensors[std::string(kLayer) + ".bias"];
  bias = raw_tensor("F32", {32}, std::vector<float>(32));
  published.write(folder_.path());
  EXPECT_NO_THROW(read_quantized_folder(folder_.path()));
  bias.bytes[2] = std::byte{1};
  published.write(folder_.path());
  EXPECT_THAT(fault_of([&] { read_quantized_folder(folder_.path()); }), StartsWith(place("bias")));
}

TEST_F(QuantizedFolderFaultTest, IsNoModelOfFloatingPoint) {
  publish(even_llama(true), {}).write(folder_.path());
  EXPECT_THAT(fault_of([&] { load_hugging_face(folder_.path()); }),
              AllOf(HasSubstr("quantization_config"), HasSubstr("F32, F16 or BF16")));
}

}  // namespace
}  // namespace qassay
