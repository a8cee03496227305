#include "quantizers/artifact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "models/layer_problem.hpp"
#include "models/safetensors.hpp"
#include "models/scale_folding.hpp"

namespace qassay {
namespace {

constexpr std::string_view kMend = "remove it: it is made again";
constexpr std::string_view kModel = "model.";

/// Of the arrays of scales and zero points.
std::vector<std::int64_t> grid_dims(const NumberFormat& weights, std::int64_t n, std::int64_t k) {
  if (weights.per == Granularity::tensor) return {1};
  return {n, blocks_per_row(weights, k)};
}

/// The tensors of a file by name, each of them asked for once.
class Entries {
 public:
  Entries(const Safetensors& file, std::string place) : file_(file), place_(std::move(place)) {
    for (const TensorEntry& entry : file.entries()) by_name_[entry.name] = &entry;
  }

  template <typename T>
  std::vector<T> take(const std::string& name, std::string_view dtype,
                      const std::vector<std::int64_t>& dims) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) refuse(name, "is missing");
    const TensorEntry& entry = *found->second;
    if (entry.dtype != dtype || entry.dims != dims) refuse(name, "has another type or shape");
    std::vector<T> values(entry.bytes.size() / sizeof(T));
    std::memcpy(values.data(), entry.bytes.data(), entry.bytes.size());
    by_name_.erase(found);
    return values;
  }

  bool has(const std::string& name) const { return by_name_.contains(name); }

  /// What is left has to be parameters of the model.
  void replace(Parameters& parameters) const {
    for (const auto& [name, entry] : by_name_) {
      const auto found =
          name.starts_with(kModel) ? parameters.find(name.substr(kModel.size())) : parameters.end();
      if (found == parameters.end() || found->second.dims != entry->dims)
        refuse(name, "belongs to no parameter of the model");
      found->second = file_.tensor(*entry);
    }
  }

  [[noreturn]] void refuse(std::string_view name, std::string_view fault) const {
    throw InputError(fmt::format("{}: {}", place_, name), fault, kMend);
  }

 private:
  const Safetensors& file_;
  std::string place_;
  std::map<std::string, const TensorEntry*> by_name_;
};

template <typename T>
T number(const std::map<std::string, std::string>& metadata, const std::string& key,
         const std::filesystem::path& path) {
  T value{};
  const auto found = metadata.find(key);
  if (found != metadata.end()) {
    const std::string& text = found->second;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return value;
  }
  throw InputError(path.string(), fmt::format("has no {} in its metadata", key), kMend);
}

void add(const std::string& name, const char* dtype, std::vector<std::int64_t> dims,
         std::span<const std::byte> bytes, std::vector<TensorEntry>& entries) {
  entries.push_back({name, dtype, std::move(dims), bytes});
}

}  // namespace

void save_artifact(const Artifact& artifact, const Model& floating, const std::string& key,
                   const std::filesystem::path& path) {
  const QuantizedModel& quantized = artifact.quantized;
  const std::vector<LayerShape> shapes = layer_shapes(floating.graph);
  std::vector<TensorEntry> entries;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const QuantMatrix& layer = quantized.layers[i];
    const std::string& name = shapes[i].name;
    const std::vector<std::int64_t> grids = grid_dims(layer.scheme.weights, layer.n, layer.k);
    add(name + ".codes", "U8", {layer.n, layer.k}, std::as_bytes(std::span(layer.codes)), entries);
    add(name + ".scales", "F32", grids, std::as_bytes(std::span(layer.scales)), entries);
    if (!layer.zero_points.empty()) {
      add(name + ".zero_points", "U8", grids, std::as_bytes(std::span(layer.zero_points)), entries);
    }
  }
  for (const auto& [name, tensor] : quantized.model.parameters) {
    const auto given = floating.parameters.find(name);
    if (given != floating.parameters.end() && given->second == tensor) continue;
    add(std::string(kModel) + name, "F32", tensor.dims, std::as_bytes(std::span(tensor.values)),
        entries);
  }
  std::map<std::string, std::string> metadata{{"key", key},
                                              {"seconds", fmt::to_string(artifact.seconds)},
                                              {"peak_bytes", fmt::to_string(artifact.peak_bytes)}};
  for (std::size_t i = 0; i < quantized.notes.size(); ++i)
    metadata[fmt::format("note {:04}", i)] = quantized.notes[i];
  write_safetensors(entries, metadata, path);
}

Artifact load_artifact(const Model& floating, const Scheme& scheme, const std::string& key,
                       const std::filesystem::path& path) {
  const Safetensors file(path);
  const auto& metadata = file.metadata();
  const auto found = metadata.find("key");
  if (found == metadata.end() || found->second != key)
    throw InputError(path.string(), "was made of something else", kMend);
  Artifact artifact{.quantized = {.model = floating, .layers = {}, .notes = {}},
                    .seconds = number<double>(metadata, "seconds", path),
                    .peak_bytes = number<std::int64_t>(metadata, "peak_bytes", path)};
  for (const auto& [name, text] : metadata) {
    if (name.starts_with("note ")) artifact.quantized.notes.push_back(text);
  }
  Entries entries(file, path.string());
  for (const LayerShape& shape : layer_shapes(floating.graph)) {
    QuantMatrix layer;
    layer.scheme = layer_problem(shape, scheme, 1).scheme;
    layer.n = shape.n;
    layer.k = shape.k;
    const NumberFormat& weights = layer.scheme.weights;
    const std::vector<std::int64_t> grids = grid_dims(weights, shape.n, shape.k);
    layer.codes = entries.take<std::uint8_t>(shape.name + ".codes", "U8", {shape.n, shape.k});
    layer.scales = entries.take<float>(shape.name + ".scales", "F32", grids);
    if (weights.zero_points)
      layer.zero_points = entries.take<std::uint8_t>(shape.name + ".zero_points", "U8", grids);
    const auto beyond = [&](std::uint8_t code) { return code >> weights.bits != 0; };
    if (std::ranges::any_of(layer.codes, beyond) || std::ranges::any_of(layer.zero_points, beyond))
      entries.refuse(shape.name, "has codes of more bits than its scheme");
    artifact.quantized.layers.push_back(std::move(layer));
  }
  for (const SharedInput& input : shared_inputs(floating.graph)) {
    const std::string node = channel_scale_name(floating.graph, input);
    if (entries.has(fmt::format("{}{}.weight", kModel, node)))
      insert_channel_scale(artifact.quantized.model, input);
  }
  entries.replace(artifact.quantized.model.parameters);
  return artifact;
}

Artifact cached_artifact(const std::filesystem::path& folder, const std::string& key,
                         const Model& floating, const Scheme& scheme,
                         const std::function<Artifact()>& make) {
  if (folder.empty()) return make();
  const std::filesystem::path path =
      folder / fmt::format("{}-{}.safetensors", floating.name, sha256(key));
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    try {
      return load_artifact(floating, scheme, key, path);
    } catch (const InputError&) {  // made again below
    }
  }
  Artifact artifact = make();
  try {
    save_artifact(artifact, floating, key, path);
  } catch (const InputError&) {  // what cannot be kept is good all the same
  }
  return artifact;
}

}  // namespace qassay
