#include "models/model_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json_object.hpp"
#include "models/attributes.hpp"
#include "models/import/hugging_face.hpp"
#include "models/safetensors.hpp"

namespace qassay {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "qassay-graph";
constexpr std::int64_t kVersion = 1;
constexpr const char* kInput = "input";  // the name of value 0
constexpr const char* kConfigFile = "config.json";
constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kHash = "content_hash";
constexpr std::size_t kLongestConfig = std::size_t{16} << 20;
constexpr int kDepth = 16;  // Hugging Face's go deeper than ours

// Far above any model, and low enough that products of the sizes of a layer do not overflow.
constexpr std::int64_t kMostChannels = 1 << 24;
constexpr double kMostReal = 1 << 30;
constexpr std::int64_t kMostPixels = 1 << 12;  // of a kernel, a stride or a padding, along one side

/// One operator of each kind.
template <std::size_t... kIndex>
std::array<Operator, sizeof...(kIndex)> make_operators(std::index_sequence<kIndex...>) {
  return {std::variant_alternative_t<kIndex, Operator>{}...};
}
const auto& operators() {
  static const auto kAll =
      make_operators(std::make_index_sequence<std::variant_size_v<Operator>>{});
  return kAll;
}

void read_attribute(const JsonObject& json, std::string_view key, std::int64_t& value) {
  const bool may_be_zero = key == "padding" || key == "window" || key == "original";
  const bool has_default = may_be_zero || value != 0;
  if (has_default && !json.has(key)) return;
  const bool pixels = key == "kernel" || key == "stride" || key == "padding";
  value = json.integer(key, may_be_zero ? 0 : 1, pixels ? kMostPixels : kMostChannels);
}
void read_attribute(const JsonObject& json, std::string_view key, bool& value) {
  if (json.has(key)) value = json.flag(key);
}
void read_attribute(const JsonObject& json, std::string_view key, double& value) {
  const double most = key == "epsilon" ? 1 : kMostReal;
  if (json.has(key)) value = json.number(key, std::numeric_limits<double>::min(), most);
}

Operator read_operator(const JsonObject& json) {
  const std::string kind = json.text("op");
  std::vector<std::string_view> kinds;
  for (Operator op : operators()) {
    kinds.push_back(kind_name(op));
    if (kinds.back() != kind) continue;
    std::vector<std::string_view> known{"name", "op", "inputs"};
    std::visit(
        [&](auto& alternative) {
          for_each_attribute(alternative, [&](const char* key, auto& value) {
            known.emplace_back(key);
            read_attribute(json, key, value);
          });
        },
        op);
    json.allow_only(known);
    return op;
  }
  json.refuse("op", fmt::format("is '{}', which is no operator", excerpt(kind)),
              fmt::format("choose one of {}", fmt::join(kinds, ", ")));
}

std::string read_name(const JsonObject& json) {
  std::string name = json.text("name");
  if (name.empty() || name != excerpt(name)) {
    json.refuse("name", "is no name", "write 1 to 80 characters that can be printed");
  }
  return name;
}

Node read_node(JsonObject json, const std::map<std::string, ValueId>& values) {
  Node node;
  node.name = read_name(json);
  json.rename(fmt::format("node '{}'", node.name));
  if (values.contains(node.name)) {
    json.refuse("name",
                node.name == kInput ? "stands for the input" : "is the name of an earlier node",
                "choose another name");
  }
  node.op = read_operator(json);
  for (const std::string& input : json.texts("inputs")) {
    const auto found = values.find(input);
    if (found == values.end()) {
      json.refuse("inputs", fmt::format("names '{}', which is not computed before", excerpt(input)),
                  "name the input or earlier nodes");
    }
    node.inputs.push_back(found->second);
  }
  return node;
}

Graph read_graph(const JsonObject& config) {
  Graph graph;
  const JsonObject input = config.object("input");
  input.allow_only({"height", "width", "channels"});
  graph.input = {input.integer("height", 1, kMostChannels),
                 input.integer("width", 1, kMostChannels),
                 input.integer("channels", 1, kMostChannels)};
  std::map<std::string, ValueId> values{{kInput, 0}};
  for (const JsonObject& json : config.objects("nodes")) {
    graph.nodes.push_back(read_node(json, values));
    values.emplace(graph.nodes.back().name, graph.nodes.size());
  }
  return graph;
}

std::string write_config(const Model& model) {
  Json nodes = Json::array();
  for (const Node& node : model.graph.nodes) {
    Json json{{"name", node.name}, {"op", kind_name(node.op)}, {"inputs", Json::array()}};
    for (const ValueId input : node.inputs) {
      json["inputs"].push_back(input == 0 ? kInput : model.graph.nodes.at(input - 1).name);
    }
    std::visit(
        [&](const auto& op) {
          for_each_attribute(op, [&](const char* key, auto value) { json[key] = value; });
        },
        node.op);
    nodes.push_back(std::move(json));
  }
  Json config{{"format", kFormat}, {"version", kVersion}, {"name", model.name}};
  if (!model.dataset.empty()) config["dataset"] = model.dataset;
  const Extent& input = model.graph.input;
  config["input"] = {
      {"height", input.height}, {"width", input.width}, {"channels", input.channels}};
  config["nodes"] = std::move(nodes);
  return config.dump(1) + "\n";
}

Model assemble(std::string_view config_json, const Safetensors& weights, std::string_view place) {
  Model model = parse_model_config(config_json, fmt::format("{}/{}", place, kConfigFile));
  model.parameters = weights.tensors();
  check_model(model, place);
  const auto hash = weights.metadata().find(kHash);
  if (hash != weights.metadata().end() && hash->second != content_hash(model)) {
    throw InputError(place, "is damaged (its content has another hash than it states)",
                     "copy it again, or remove the hash if you changed the model");
  }
  return model;
}

}  // namespace

Model parse_model_config(std::string_view config_json, std::string_view file) {
  const nlohmann::json json = parse_json(config_json, file, kDepth);
  const JsonObject config(json, file);
  if (config.has("architectures")) {
    throw InputError(file, "describes a Hugging Face model, which is read from a folder only",
                     fmt::format("give the folder, or a config.json of the format {}", kFormat));
  }
  if (config.text("format") != kFormat) {
    config.refuse("format", "is not known", fmt::format("write \"{}\"", kFormat));
  }
  config.integer("version", kVersion, kVersion);
  config.allow_only({"format", "version", "name", "dataset", "input", "nodes"});
  Model model;
  model.name = read_name(config);
  if (config.has("dataset")) model.dataset = config.text("dataset");
  model.graph = read_graph(config);
  try {
    infer_extents(model.graph);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", file, error.what()));
  }
  return model;
}

Model parse_model(std::string_view config_json, std::span<const std::byte> safetensors,
                  std::string_view place) {
  return assemble(config_json, Safetensors(safetensors, fmt::format("{}/{}", place, kWeightsFile)),
                  place);
}

Model load_model_folder(const std::filesystem::path& folder, std::int64_t context) {
  const MappedFile config(folder / kConfigFile, kLongestConfig);
  const std::string_view text(reinterpret_cast<const char*>(config.bytes().data()),
                              config.bytes().size());
  if (is_hugging_face(text, (folder / kConfigFile).string()))
    return load_hugging_face(folder, context);
  Model model = assemble(text, Safetensors(folder / kWeightsFile), folder.string());
  if (context > 0 && takes_text(model.graph))
    model.graph.input.width = std::min(model.graph.input.width, context);
  return model;
}

void save_model_folder(const Model& model, const std::filesystem::path& folder, Storage storage) {
  check_model(model, folder.string());
  const std::string config = write_config(model);
  parse_model_config(config, (folder / kConfigFile).string());
  write_safetensors(model.parameters, {{kHash, content_hash(model)}}, folder / kWeightsFile,
                    storage);
  const std::span<const std::byte> part = std::as_bytes(std::span(config));
  replace_file(folder / kConfigFile, std::span(&part, 1));
}

}  // namespace qassay
