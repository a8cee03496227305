#include "models/import/tensor_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/json_object.hpp"

namespace qassay {
namespace {

constexpr const char* kOneFile = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kMap = "weight_map";
constexpr std::string_view kCopyAgain = "copy or download the folder again";

/// Tensor -> name of its file.
std::map<std::string, std::string> read_index(const std::filesystem::path& path) {
  constexpr std::size_t kLongestIndex = std::size_t{64} << 20;
  constexpr int kIndexDepth = 4;
  const MappedFile file(path, kLongestIndex);
  const nlohmann::json json =
      parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()},
                 path.string(), kIndexDepth);
  const JsonObject index(json, path.string());
  index.allow_only({"metadata", kMap});
  const JsonObject shards = index.object(kMap);
  std::map<std::string, std::string> files;
  for (const std::string& tensor : shards.keys()) {
    std::string name = shards.text(tensor);
    if (!name.ends_with(".safetensors") || name.find_first_of("/\\") != std::string::npos) {
      shards.refuse(
          tensor,
          fmt::format("is in '{}', which is no safetensors file of the folder", excerpt(name)),
          kCopyAgain);
    }
    files.emplace(tensor, std::move(name));
  }
  return files;
}

}  // namespace

TensorFiles::TensorFiles(const std::filesystem::path& folder) : folder_(folder.string()) {
  if (std::filesystem::exists(folder / kOneFile)) {
    const std::filesystem::path path = folder / kOneFile;
    add(Safetensors(path), path.string());
  } else if (std::filesystem::exists(folder / kIndex)) {
    open_shards(folder / kIndex);
  } else {
    throw InputError(folder_, fmt::format("has neither {} nor {}", kOneFile, kIndex),
                     "convert the weights to safetensors");
  }
}

TensorFiles::TensorFiles(Safetensors file, std::string_view place) : folder_(place) {
  add(std::move(file), folder_);
}

void TensorFiles::add(Safetensors file, std::string path) {
  paths_.push_back(std::move(path));
  files_.push_back(std::move(file));
  const std::vector<TensorEntry>& entries = files_.back().entries();
  for (std::size_t i = 0; i < entries.size(); ++i)
    tensors_.emplace(entries[i].name, Found{files_.size() - 1, i});
}

void TensorFiles::open_shards(const std::filesystem::path& index) {
  const std::map<std::string, std::string> listed = read_index(index);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : listed) shards.insert(shard);
  for (const std::string& shard : shards) {
    const std::filesystem::path path = index.parent_path() / shard;
    if (!std::filesystem::exists(path)) {
      throw InputError(fmt::format("{}: {}", index.string(), kMap),
                       fmt::format("names {}, which is not there", excerpt(shard)), kCopyAgain);
    }
    add(Safetensors(path), path.string());
    for (const TensorEntry& entry : files_.back().entries()) {
      const auto found = listed.find(entry.name);
      if (found != listed.end() && found->second == shard) continue;
      throw InputError(fmt::format("{}: {}", path.string(), excerpt(entry.name)),
                       found == listed.end()
                           ? "is a tensor that the index does not list"
                           : fmt::format("is in {} by the index", excerpt(found->second)),
                       kCopyAgain);
    }
  }
  for (const auto& [tensor, shard] : listed) {
    if (!has(tensor)) {
      throw InputError(fmt::format("{}: {}, {}", index.string(), kMap, excerpt(tensor)),
                       fmt::format("is not in {}", excerpt(shard)), kCopyAgain);
    }
  }
}

std::vector<std::string> TensorFiles::names() const {
  std::vector<std::string> all;
  for (const auto& [name, found] : tensors_) all.push_back(name);
  return all;
}

std::string TensorFiles::place_of(const std::string& name) const {
  const auto found = tensors_.find(name);
  return fmt::format("{}: {}", found == tensors_.end() ? folder_ : paths_[found->second.file],
                     excerpt(name));
}

const TensorEntry& TensorFiles::entry(const std::string& name,
                                      const std::vector<std::int64_t>& dims) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw InputError(place_of(name), "is missing",
                     fmt::format("give the tensor, [{}]", fmt::join(dims, ", ")));
  }
  const TensorEntry& entry = files_[found->second.file].entries()[found->second.entry];
  if (entry.dims != dims) {
    throw InputError(place_of(name),
                     fmt::format("is [{}], but config.json makes it [{}]",
                                 fmt::join(entry.dims, ", "), fmt::join(dims, ", ")),
                     "correct config.json, or copy the right file");
  }
  return entry;
}

Tensor TensorFiles::tensor(const std::string& name, const std::vector<std::int64_t>& dims) const {
  const TensorEntry& found = entry(name, dims);
  return files_[tensors_.at(name).file].tensor(found);
}

}  // namespace qassay
