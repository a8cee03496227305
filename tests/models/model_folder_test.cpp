#include "models/model_folder.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "models/safetensors.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/sample_model.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string config(std::string_view nodes) {
  return fmt::format(R"({{"format": "qassay-graph", "version": 1, "name": "m", "dataset": "d",
    "input": {{"height": 1, "width": 1, "channels": 4}}, "nodes": [{}]}})",
                     nodes);
}

std::string config_fault(const std::string& text) {
  return fault_of([&] { parse_model_config(text, "m/config.json"); });
}
std::string node_fault(std::string_view nodes) { return config_fault(config(nodes)); }

/// The well-formed config with one piece of its text exchanged.
std::string fault_with(std::string_view piece, std::string_view other) {
  std::string text = config(R"({"name": "a", "op": "relu", "inputs": ["input"]})");
  const std::size_t begin = text.find(piece);
  if (begin == std::string::npos) ADD_FAILURE() << piece;
  return config_fault(text.replace(begin, piece.size(), other));
}

TEST(ModelConfigTest, ReadsAllOperatorsWithTheirAttributes) {
  const Model model = parse_model_config(R"({
    "format": "qassay-graph", "version": 1, "name": "all", "dataset": "d",
    "input": {"height": 8, "width": 6, "channels": 2},
    "nodes": [
      {"name": "conv", "op": "conv2d", "inputs": ["input"], "outputs": 4, "kernel": 3, "stride": 2,
       "padding": 1, "groups": 2, "bias": false},
      {"name": "norm", "op": "batch_norm", "inputs": ["conv"], "epsilon": 0.001},
      {"name": "six", "op": "relu6", "inputs": ["norm"]},
      {"name": "swish", "op": "hard_swish", "inputs": ["norm"]},
      {"name": "sum", "op": "add", "inputs": ["swish", "six"]},
      {"name": "max", "op": "max_pool", "inputs": ["sum"], "kernel": 2, "stride": 1, "padding": 1},
      {"name": "avg", "op": "avg_pool", "inputs": ["max"], "kernel": 2, "stride": 2},
      {"name": "pool", "op": "global_avg_pool", "inputs": ["avg"]},
      {"name": "flat", "op": "flatten", "inputs": ["pool"]},
      {"name": "fc", "op": "linear", "inputs": ["flat"], "outputs": 5},
      {"name": "relu", "op": "relu", "inputs": ["fc"]},
      {"name": "soft", "op": "softmax", "inputs": ["relu"]}]})",
                                         "config.json");
  const Graph expected{
      {8, 6, 2},
      {{"conv",
        Conv2d{.outputs = 4, .kernel = 3, .stride = 2, .padding = 1, .groups = 2, .bias = false},
        {0}},
       {"norm", BatchNorm{.epsilon = 0.001}, {1}},
       {"six", Relu6{}, {2}},
       {"swish", HardSwish{}, {2}},
       {"sum", Add{}, {4, 3}},
       {"max", MaxPool{.kernel = 2, .stride = 1, .padding = 1}, {5}},
       {"avg", AvgPool{.kernel = 2, .stride = 2}, {6}},
       {"pool", GlobalAvgPool{}, {7}},
       {"flat", Flatten{}, {8}},
       {"fc", Linear{.outputs = 5, .bias = true}, {9}},
       {"relu", Relu{}, {10}},
       {"soft", Softmax{}, {11}}}};
  EXPECT_EQ(model.graph, expected);
  EXPECT_EQ(model.name, "all");
  EXPECT_EQ(model.dataset, "d");
}

TEST(ModelConfigTest, TakesTheDefaultsOfTheOperators) {
  const std::string text =
      config(R"({"name": "a", "op": "conv2d", "inputs": ["input"], "outputs": 1})");
  EXPECT_EQ(parse_model_config(text, "").graph.nodes[0].op, Operator(Conv2d{.outputs = 1}));
}

TEST(ModelConfigTest, RefusesOtherFormats) {
  EXPECT_EQ(
      config_fault(R"({"architectures": ["LlamaForCausalLM"], "a": {"b": {"c": {"d": {}}}}})"),
      "m/config.json: describes a Hugging Face model, which is read from a folder only; give the "
      "folder, or a config.json of the format qassay-graph");
  EXPECT_THAT(fault_with("qassay-graph", "onnx"), HasSubstr("format: is not known"));
  EXPECT_THAT(fault_with(R"("format": "qassay-graph", )", ""), HasSubstr("'format' is missing"));
  EXPECT_THAT(fault_with(R"("version": 1)", R"("version": 2)"), HasSubstr("write one from 1 to 1"));
  EXPECT_THAT(config_fault("not JSON"), HasSubstr("is not JSON"));
  EXPECT_THAT(config_fault("[]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(config_fault(std::string(100'000, '[')), HasSubstr("nests deeper"));
}

TEST(ModelConfigTest, RefusesUnknownAndMissingAndWrongKeys) {
  EXPECT_THAT(fault_with(R"("name": "m")", R"("name": "m", "more": 1)"),
              HasSubstr("more: is not a known key"));
  EXPECT_THAT(fault_with(R"("name": "m")", R"("name": "m", "name": "m")"),
              HasSubstr("key 'name' twice"));
  EXPECT_THAT(fault_with(R"("name": "m", )", ""), HasSubstr("'name' is missing"));
  EXPECT_THAT(fault_with(R"("name": "m")", R"("name": "")"), HasSubstr("name: is no name"));
  EXPECT_THAT(fault_with(R"("dataset": "d")", R"("dataset": 1)"),
              HasSubstr("dataset: has the wrong type"));
  EXPECT_THAT(fault_with(R"("channels": 4)", R"("channels": 0)"),
              HasSubstr("input, channels: is not a whole"));
  EXPECT_THAT(fault_with(R"("channels": 4)", R"("depth": 4)"),
              HasSubstr("input, depth: is not a known key"));
  EXPECT_THAT(fault_with(R"(, "channels": 4)", ""), HasSubstr("input: 'channels' is missing"));
  EXPECT_THAT(fault_with(R"("nodes": [)", R"("nodes": [1, )"),
              HasSubstr("nodes 1: is not a JSON object"));
}

TEST(ModelConfigTest, NamesNodeAndKeyOfAFault) {
  EXPECT_EQ(node_fault(R"({"name": "a", "op": "linear", "inputs": ["input"], "outputs": -1})"),
            "m/config.json: node 'a', outputs: is not a whole number in range; write one from 1 to "
            "16777216");
  EXPECT_THAT(node_fault(R"({"op": "relu", "inputs": ["input"]})"),
              HasSubstr("nodes 1: 'name' is missing"));
  EXPECT_THAT(node_fault(R"({"name": "a\n", "op": "relu", "inputs": ["input"]})"),
              HasSubstr("nodes 1, name: is no name"));
  EXPECT_THAT(node_fault(R"({"name": "a", "inputs": ["input"]})"),
              HasSubstr("node 'a': 'op' is missing"));
  EXPECT_THAT(
      node_fault(R"({"name": "a", "op": "maxout", "inputs": ["input"]})"),
      AllOf(HasSubstr("op: is 'maxout', which is no operator"), HasSubstr("linear, conv2d, ")));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu"})"), HasSubstr("'inputs' is missing"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu", "inputs": "input"})"),
              HasSubstr("inputs: has the wrong type"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu", "inputs": [0]})"),
              HasSubstr("inputs: has the wrong type"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu", "inputs": ["input"], "kernel": 1})"),
              HasSubstr("node 'a', kernel: is not a known key; known here: name, op, inputs"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "linear", "inputs": ["input"]})"),
              HasSubstr("'outputs' is missing"));
}

TEST(ModelConfigTest, RefusesAbsurdAttributes) {
  const auto conv = [](std::string_view rest) {
    return node_fault(fmt::format(
        R"({{"name": "a", "op": "conv2d", "inputs": ["input"], "outputs": 4, {}}})", rest));
  };
  EXPECT_THAT(conv(R"("kernel": 0)"), HasSubstr("kernel: is not a whole number"));
  EXPECT_THAT(conv(R"("stride": 0)"), HasSubstr("stride: is not a whole number"));
  EXPECT_THAT(conv(R"("padding": -1)"), HasSubstr("padding: is not a whole number"));
  EXPECT_THAT(conv(R"("padding": 9223372036854775807)"),
              HasSubstr("padding: is not a whole number"));
  EXPECT_THAT(conv(R"("groups": 1.5)"), HasSubstr("groups: is not a whole number"));
  EXPECT_THAT(conv(R"("bias": 1)"), HasSubstr("bias: has the wrong type"));
  EXPECT_THAT(conv(R"("groups": 3)"), HasSubstr("groups that do not divide"));
  EXPECT_THAT(conv(R"("kernel": 2)"), HasSubstr("kernel larger than its input"));
  const auto norm = [](std::string_view epsilon) {
    return node_fault(fmt::format(
        R"({{"name": "a", "op": "batch_norm", "inputs": ["input"], "epsilon": {}}})", epsilon));
  };
  EXPECT_THAT(norm("0"), HasSubstr("epsilon: is out of range"));
  EXPECT_THAT(norm("-1e-5"), HasSubstr("epsilon: is out of range"));
  EXPECT_THAT(norm("\"0\""), HasSubstr("epsilon: has the wrong type"));
}

TEST(ModelConfigTest, RefusesWhatIsNoGraph) {
  const std::string_view relu = R"({"name": "a", "op": "relu", "inputs": ["input"]})";
  EXPECT_THAT(node_fault(fmt::format("{}, {}", relu, relu)),
              HasSubstr("node 'a', name: is the name of an earlier node"));
  EXPECT_THAT(node_fault(R"({"name": "input", "op": "relu", "inputs": ["input"]})"),
              HasSubstr("name: stands for the input"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu", "inputs": ["b"]},
                            {"name": "b", "op": "relu", "inputs": ["input"]})"),
              HasSubstr("node 'a', inputs: names 'b', which is not computed before"));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "relu", "inputs": ["a"]})"),
              HasSubstr("names 'a'"));
  EXPECT_THAT(node_fault(""), StartsWith("m/config.json: "));
  EXPECT_THAT(node_fault(R"({"name": "a", "op": "add", "inputs": ["input"]})"),
              AllOf(StartsWith("m/config.json: "), HasSubstr("node 'a'")));
}

class ModelFolderTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "deep" / "small"; }
  std::filesystem::path weights() const { return path() / "model.safetensors"; }
  std::string text(const char* file) const {
    std::ifstream in(path() / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void overwrite(const char* file, const std::string& text) const {
    std::ofstream(path() / file, std::ios::binary | std::ios::trunc) << text;
  }
  std::string load_fault() const {
    return fault_of([&] { load_model_folder(path()); });
  }

  TemporaryFolder folder_;
};

TEST_F(ModelFolderTest, GivesBackWhatWasSaved) {
  save_model_folder(sample_model(), path());
  const Model loaded = load_model_folder(path());
  EXPECT_EQ(loaded, sample_model());
  EXPECT_EQ(content_hash(loaded), content_hash(sample_model()));
}

TEST_F(ModelFolderTest, LeavesTwoFilesAndTheSameBytesEachTime) {
  save_model_folder(sample_model(), path());
  const std::string config = text("config.json"), parameters = text("model.safetensors");
  save_model_folder(sample_model(), path());
  const auto files = std::filesystem::directory_iterator(path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
  EXPECT_EQ(text("config.json"), config);
  EXPECT_EQ(text("model.safetensors"), parameters);
}

TEST_F(ModelFolderTest, IsTheSameFromMemory) {
  save_model_folder(sample_model(), path());
  const std::string config = text("config.json"), parameters = text("model.safetensors");
  const auto bytes = std::as_bytes(std::span(parameters));
  EXPECT_EQ(parse_model(config, bytes, "built in"), sample_model());
  EXPECT_THAT(fault_of([&] { parse_model("", bytes, "built in"); }),
              StartsWith("built in/config.json: "));
  EXPECT_THAT(fault_of([&] { parse_model(config, {}, "built in"); }),
              StartsWith("built in/model.safetensors: "));
}

TEST_F(ModelFolderTest, DetectsEveryFlippedByteAndTruncation) {
  save_model_folder(sample_model(), path());
  const std::string config = text("config.json"), parameters = text("model.safetensors");
  const auto parse = [](std::string_view json, std::string_view tensors) {
    return parse_model(json, std::as_bytes(std::span(tensors)), "m");
  };
  for (std::size_t i = 0; i < config.size(); ++i) {
    std::string flipped = config;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_THROW(parse(flipped, parameters), InputError) << i;
    if (i == config.size() - 1) continue;  // the line feed at the end
    EXPECT_THROW(parse(config.substr(0, i), parameters), InputError) << i;
  }
  const std::size_t key = parameters.find("content_hash");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_THROW(parse(config, parameters.substr(0, i)), InputError) << i;
    if (i >= key && i < key + std::string_view("content_hash").size()) continue;  // hides the hash
    std::string flipped = parameters;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_THROW(parse(config, flipped), InputError) << i;
  }
  EXPECT_EQ(parse(config, parameters), sample_model());
}

TEST_F(ModelFolderTest, ReadsFoldersWithoutAHash) {
  save_model_folder(sample_model(), path());
  write_safetensors(sample_model().parameters, {}, weights());
  EXPECT_EQ(load_model_folder(path()), sample_model());
}

TEST_F(ModelFolderTest, SaysThatTheContentIsNotThatOfItsHash) {
  save_model_folder(sample_model(), path());
  Model other = sample_model();
  other.parameters["head.bias"].values[1] = 0.0F;
  write_safetensors(other.parameters, {{"content_hash", content_hash(sample_model())}}, weights());
  EXPECT_EQ(load_fault(), path().string() +
                              ": is damaged (its content has another hash than it states); copy it "
                              "again, or remove the hash if you changed the model");
}

TEST_F(ModelFolderTest, RefusesParametersThatAreNotTheGraphs) {
  save_model_folder(sample_model(), path());
  const auto fault_of_parameters = [&](const Parameters& parameters) {
    write_safetensors(parameters, {}, weights());
    return load_fault();
  };
  Parameters parameters = sample_model().parameters;
  parameters.erase("head.bias");
  EXPECT_THAT(fault_of_parameters(parameters),
              AllOf(StartsWith(path().string()), HasSubstr("'head.bias'")));
  parameters = sample_model().parameters;
  parameters["more"] = {{1}, {1}};
  EXPECT_THAT(fault_of_parameters(parameters), HasSubstr("'more'"));
  parameters = sample_model().parameters;
  parameters["head.bias"].dims = {1, 3};
  EXPECT_THAT(fault_of_parameters(parameters), HasSubstr("'head.bias'"));
}

TEST_F(ModelFolderTest, SaysWhichFileIsMissing) {
  EXPECT_THAT(load_fault(), StartsWith((path() / "config.json").string() + ": cannot be read"));
  save_model_folder(sample_model(), path());
  std::filesystem::remove(weights());
  EXPECT_THAT(load_fault(), StartsWith(weights().string() + ": cannot be read"));
}

TEST_F(ModelFolderTest, RefusesAConfigOfMoreThan16Mebibytes) {
  save_model_folder(sample_model(), path());
  std::filesystem::resize_file(path() / "config.json", (16 << 20) + 1);
  EXPECT_THAT(load_fault(), HasSubstr("16777217 bytes, more than 16777216"));
}

TEST_F(ModelFolderTest, SavesNothingThatCouldNotBeLoaded) {
  const auto refused = [&](const Model& model) {
    EXPECT_THROW(save_model_folder(model, path()), InputError);
    EXPECT_FALSE(std::filesystem::exists(path()));
  };
  Model model = sample_model();
  model.parameters["head.bias"].values[0] = std::numeric_limits<float>::infinity();
  refused(model);
  model = sample_model();
  model.parameters.erase("head.bias");
  refused(model);
  model = sample_model();
  model.name = "";
  refused(model);
  model = sample_model();
  model.graph.nodes[1].op = BatchNorm{.epsilon = 0};
  refused(model);
  model = sample_model();
  model.graph.nodes[2].name = "input";
  refused(model);
}

TEST_F(ModelFolderTest, SaysWhenItCannotWrite) {
  std::ofstream(folder_.path() / "deep") << "a file where a folder is wanted";
  EXPECT_THAT(fault_of([&] { save_model_folder(sample_model(), path()); }),
              HasSubstr("cannot be written"));
}

TEST_F(ModelFolderTest, KeepsAModelWithoutADataset) {
  Model model = sample_model();
  model.dataset = "";
  save_model_folder(model, path());
  EXPECT_THAT(text("config.json"), Not(HasSubstr("dataset")));
  EXPECT_EQ(load_model_folder(path()), model);
}

}  // namespace
}  // namespace qassay
