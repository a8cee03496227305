#include "models/import/hugging_face.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json_object.hpp"
#include "models/import/tensor_files.hpp"
#include "models/import/tensor_sources.hpp"

namespace qassay {
namespace {

constexpr int kConfigDepth = 16;

/// Every value of the graph has to be in range; the widest is known before there is one.
void check_context(const Decoder& decoder, std::string_view file) {
  const std::int64_t widest = std::max(
      {decoder.vocabulary, decoder.channels, decoder.feed_forward, decoder.heads * decoder.head});
  const std::int64_t most = kMostFeatures / widest;
  if (decoder.context > most) {
    throw InputError(file,
                     fmt::format("is of a model of {} positions, each of up to {} numbers: too "
                                 "many at once",
                                 decoder.context, widest),
                     fmt::format("read it with a context of {} or less", most));
  }
}

std::string name_of(const std::filesystem::path& folder) {
  std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string name = excerpt(path.filename().string());
  return name.empty() ? "model" : name;
}

/// A tied lm_head may be stored all the same, as long as it says nothing else.
void check_tied_head(const TensorFiles& files, const Parameters& parameters) {
  constexpr const char* kTied = "lm_head.weight";
  const Tensor& table = parameters.at(kTied);
  if (files.has(kTied) && files.tensor(kTied, table.dims) != table) {
    throw InputError(files.place_of(kTied),
                     "has other values than the table of tokens, with which it is tied",
                     "remove it, or set tie_word_embeddings to false");
  }
}

/// No tensor may be left over but what says nothing.
void check_unused(const TensorFiles& files, const TensorNaming& naming, std::set<std::string> used,
                  bool tied) {
  if (tied) used.insert("lm_head.weight");
  for (const std::string& name : files.names()) {
    if (used.contains(name) || naming.is_computed(name)) continue;
    throw InputError(files.place_of(name), "is a tensor that config.json has no place for",
                     "remove it, or correct config.json");
  }
}

}  // namespace

bool is_hugging_face(std::string_view config_json, std::string_view file) {
  return parse_json(config_json, file, kConfigDepth).contains("architectures");
}

HuggingFaceConfig parse_hugging_face_config(std::string_view config_json, std::string_view file,
                                            std::int64_t context) {
  const nlohmann::json json = parse_json(config_json, file, kConfigDepth);
  HuggingFaceConfig config{decoder_config(JsonObject(json, file)), {}};
  Decoder decoder = config.read.decoder;
  if (context > 0) decoder.context = std::min(decoder.context, context);
  check_context(decoder, file);
  config.graph = decoder_graph(decoder);
  try {
    infer_extents(config.graph);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", file, error.what()));
  }
  return config;
}

Model load_hugging_face(const std::filesystem::path& folder, std::int64_t context) {
  constexpr std::size_t kLongestConfig = std::size_t{16} << 20;
  const std::filesystem::path path = folder / "config.json";
  const MappedFile file(path, kLongestConfig);
  HuggingFaceConfig config = parse_hugging_face_config(
      {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path.string(),
      context);
  const TensorFiles files(folder);
  const TensorNaming naming(config.read,
                            [&](const std::string& tensor) { return files.has(tensor); });
  Model model{
      .name = name_of(folder), .dataset = "", .graph = std::move(config.graph), .parameters = {}};
  const std::vector<TensorSource> sources = naming.sources(model.graph);
  std::set<std::string> used;
  for (const TensorSource& source : sources) used.insert(source.tensor);
  check_unused(files, naming, std::move(used), config.read.tied);
  for (const TensorSource& source : sources) {
    model.parameters[source.parameter.name] =
        take_parameter(source, files.tensor(source.tensor, source.dims));
  }
  if (config.read.tied) check_tied_head(files, model.parameters);
  return model;
}

}  // namespace qassay
