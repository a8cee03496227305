#include "models/import/hugging_face_folder.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json_object.hpp"

namespace qassay {
namespace {

constexpr const char* kTiedHead = "lm_head.weight";

std::string name_of(const std::filesystem::path& folder) {
  std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const std::string name = excerpt(path.filename().string());
  return name.empty() ? "model" : name;
}

}  // namespace

std::string read_hugging_face_config(const std::filesystem::path& folder) {
  constexpr std::size_t kLongestConfig = std::size_t{16} << 20;
  const MappedFile file(folder / "config.json", kLongestConfig);
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

HuggingFaceFolder::HuggingFaceFolder(const std::filesystem::path& folder, std::int64_t context)
    : path(folder),
      config_json(read_hugging_face_config(folder)),
      config(parse_hugging_face_config(config_json, config_path(), context)),
      files(folder),
      naming(config.read, [&](const std::string& tensor) { return files.has(tensor); }),
      sources(naming.sources(config.graph)) {}

HuggingFaceFolder::HuggingFaceFolder(std::filesystem::path folder, std::string json,
                                     TensorFiles tensors, std::int64_t context)
    : path(std::move(folder)),
      config_json(std::move(json)),
      config(parse_hugging_face_config(config_json, config_path(), context)),
      files(std::move(tensors)),
      naming(config.read, [&](const std::string& tensor) { return files.has(tensor); }),
      sources(naming.sources(config.graph)) {}

void HuggingFaceFolder::check_unused(std::set<std::string> used) const {
  if (config.read.tied) used.insert(kTiedHead);
  for (const std::string& name : files.names()) {
    if (used.contains(name) || naming.is_computed(name)) continue;
    throw InputError(files.place_of(name), "is a tensor that config.json has no place for",
                     "remove it, or correct config.json");
  }
}

void HuggingFaceFolder::check_tied_head(const Parameters& parameters) const {
  if (!config.read.tied) return;
  const Tensor& table = parameters.at(kTiedHead);
  if (files.has(kTiedHead) && files.tensor(kTiedHead, table.dims) != table) {
    throw InputError(files.place_of(kTiedHead),
                     "has other values than the table of tokens, with which it is tied",
                     "remove it, or set tie_word_embeddings to false");
  }
}

Model HuggingFaceFolder::model_without_parameters() const {
  return {.name = name_of(path), .dataset = "", .graph = config.graph, .parameters = {}};
}

}  // namespace qassay
