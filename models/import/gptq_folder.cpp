#include "models/import/gptq_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/half.hpp"
#include "datasets/tokenizers/gpt2_files.hpp"
#include "datasets/tokenizers/sentencepiece.hpp"
#include "datasets/tokenizers/tokenizer_config.hpp"
#include "datasets/tokenizers/tokenizer_json.hpp"
#include "models/import/hugging_face_folder.hpp"
#include "models/import/packed_codes.hpp"
#include "models/import/packed_layer.hpp"

namespace qassay {
namespace {

constexpr const char* kOutput = "lm_head";
constexpr const char* kOutputWeight = "lm_head.weight";
constexpr std::string_view kWeightEnding = ".weight";

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

bool has_zero_point_0(const QuantMatrix& layer) {
  return std::ranges::find(layer.zero_points, 0) != layer.zero_points.end();
}

/// Of all layers, which are quantized alike.
QuantizationConfig config_of(const std::map<std::string, QuantMatrix>& layers) {
  if (layers.empty()) throw std::invalid_argument("a checkpoint without quantized layers");
  const Scheme& scheme = layers.begin()->second.scheme;
  bool some_zero_is_0 = false;
  for (const auto& [name, layer] : layers) {
    if (layer.scheme != scheme) {
      throw InputError(name,
                       fmt::format("is {}, where another layer is {}", to_string(layer.scheme),
                                   to_string(scheme)),
                       "quantize all layers in one scheme");
    }
    some_zero_is_0 = some_zero_is_0 || has_zero_point_0(layer);
  }
  return gptq_config(scheme, some_zero_is_0);
}

/// The tensors of a file, and the bytes of those that are not another file's.
class Checkpoint {
 public:
  void add(TensorEntry entry) { entries_.push_back(std::move(entry)); }

  template <typename T>
  void add(const std::string& name, const char* dtype, std::vector<std::int64_t> dims,
           const std::vector<T>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    kept_.emplace_back(bytes.begin(), bytes.end());
    add({name, dtype, std::move(dims), kept_.back()});
  }

  void add_scales(const std::string& name, const std::vector<std::int64_t>& dims,
                  const std::vector<float>& scales) {
    std::vector<std::uint16_t> halves;
    for (const float scale : scales) {
      halves.push_back(f32_to_f16(scale));
      if (f16_to_f32(halves.back()) != scale) return add(name, "F32", dims, scales);
    }
    add(name, "F16", dims, halves);
  }

  void add_layer(const std::string& name, const QuantMatrix& layer,
                 const QuantizationConfig& config) {
    const PackedLayer packed = pack_gptq(layer, config, name);
    const std::int64_t groups = blocks_per_row(layer.scheme.weights, layer.k);
    add(name + ".qweight", "I32", {packed_words(layer.k, config.bits), layer.n}, packed.qweight);
    add(name + ".qzeros", "I32", {groups, packed_words(layer.n, config.bits)}, packed.qzeros);
    add_scales(name + ".scales", {groups, layer.n}, packed.scales);
    add(name + ".g_idx", "I32", {layer.k}, packed.g_idx);
  }

  std::span<const TensorEntry> entries() const { return entries_; }

 private:
  std::vector<TensorEntry> entries_;
  std::list<std::vector<std::byte>> kept_;
};

class GptqWriter {
 public:
  GptqWriter(const std::filesystem::path& source, const Model& model,
             const std::map<std::string, QuantMatrix>& layers)
      : folder_(source, model.graph.input.width),
        model_(model),
        layers_(layers),
        config_(config_of(layers)) {
    if (folder_.config.quantization) {
      throw InputError(folder_.config_path(), "is of a model that is quantized already",
                       "give the model that it was made from");
    }
    untied_ = folder_.config.read.tied && unties();
    folder_.config.read.tied = folder_.config.read.tied && !untied_;
    folder_.naming = TensorNaming(
        folder_.config.read, [&](const std::string& tensor) { return folder_.files.has(tensor); });
    for (const TensorSource& from : folder_.naming.sources(folder_.config.graph)) sort_in(from);
    check_all_sorted();
  }

  void write(const std::filesystem::path& target) const {
    Checkpoint checkpoint;
    for (const auto& [tensor, sources] : quantized_) add_quantized(tensor, sources, checkpoint);
    for (const auto& [tensor, sources] : floating_) add_floating(tensor, sources, checkpoint);
    make_folders(target);
    take_over_files(target);
    write_safetensors(checkpoint.entries(), {{"format", "pt"}}, target / "model.safetensors");
    const std::string text = config_json();
    const auto bytes = std::as_bytes(std::span(text));
    const std::span<const std::byte> parts[] = {bytes};
    replace_file(target / "config.json", parts);
  }

 private:
  using Sources = std::map<std::string, std::vector<TensorSource>>;  // by tensor

  static void make_folders(const std::filesystem::path& target) {
    std::error_code error;
    std::filesystem::create_directories(target, error);
    if (error) throw InputError(target.string(), error.message(), "name another folder");
  }

  /// The tokenizer, and what other programs read beside it.
  void take_over_files(const std::filesystem::path& target) const {
    for (const char* name :
         {kTokenizerFile, kSentencePieceFile, kVocabularyFile, kMergesFile, kTokenizerConfigFile,
          "special_tokens_map.json", "added_tokens.json", "generation_config.json"}) {
      const std::filesystem::path from = folder_.path / name;
      std::error_code error;
      if (std::filesystem::exists(from)) std::filesystem::copy_file(from, target / name, error);
      if (error) throw InputError((target / name).string(), error.message(), "name another folder");
    }
  }

  static std::string node_of(const TensorSource& source) {
    const std::string& name = source.parameter.name;
    return name.substr(0, name.rfind('.'));
  }

  const Tensor& parameter_of(const ParameterShape& shape) const {
    const auto found = model_.parameters.find(shape.name);
    if (found == model_.parameters.end() || found->second.dims != shape.dims)
      throw std::invalid_argument(fmt::format("the model has another '{}'", shape.name));
    return found->second;
  }

  bool unties() const {
    if (layers_.contains(kOutput)) return true;
    for (const TensorSource& source : folder_.sources) {
      if (source.parameter.name != kOutputWeight) continue;
      const Tensor table = take_parameter(source, folder_.files.tensor(source.tensor, source.dims));
      return parameter_of(source.parameter) != table;
    }
    return false;
  }

  void sort_in(const TensorSource& source) {
    const bool weight = source.parameter.name.ends_with(kWeightEnding);
    const auto layer = weight ? layers_.find(node_of(source)) : layers_.end();
    if (layer == layers_.end()) {
      floating_[source.tensor].push_back(source);
      return;
    }
    const QuantMatrix& matrix = layer->second;
    if (source.parameter.dims != std::vector{matrix.n, matrix.k})
      throw std::invalid_argument(fmt::format("layer '{}' has another shape", layer->first));
    quantized_[source.tensor].push_back(source);
  }

  void check_all_sorted() const {
    std::size_t sorted = 0;
    for (const auto& [tensor, sources] : quantized_) {
      sorted += sources.size();
      if (!floating_.contains(tensor)) continue;
      throw InputError(tensor, "is quantized in part",
                       "quantize all layers whose weights it has, or none");
    }
    if (sorted != layers_.size())
      throw std::invalid_argument("a quantized layer that the model does not have");
  }

  void add_quantized(const std::string& tensor, const std::vector<TensorSource>& sources,
                     Checkpoint& checkpoint) const {
    QuantMatrix whole;
    for (const TensorSource& source : sources) {  // in the order of their rows
      const QuantMatrix& part = layers_.at(node_of(source));
      if (whole.n == 0) {
        whole = part;
        continue;
      }
      whole.n += part.n;
      append(whole.codes, part.codes);
      append(whole.scales, part.scales);
      append(whole.zero_points, part.zero_points);
    }
    checkpoint.add_layer(tensor.substr(0, tensor.size() - kWeightEnding.size()), whole, config_);
  }

  void add_floating(const std::string& tensor, const std::vector<TensorSource>& sources,
                    Checkpoint& checkpoint) const {
    const std::vector<std::int64_t>& dims = sources.front().dims;
    const bool given = folder_.files.has(tensor);
    Tensor whole = given ? folder_.files.tensor(tensor, dims) : Tensor{dims, {}};
    if (!given) whole.values.resize(static_cast<std::size_t>(dims[0] * dims[1]));
    bool changed = !given;
    for (const TensorSource& source : sources) {
      const Tensor& parameter = parameter_of(source.parameter);
      if (given && take_parameter(source, whole) == parameter) continue;
      put_parameter(source, parameter, whole);
      changed = true;
    }
    if (changed) {
      checkpoint.add(tensor, "F32", dims, whole.values);
    } else {
      checkpoint.add(folder_.files.entry(tensor, dims));
    }
  }

  std::string config_json() const {
    nlohmann::json json = nlohmann::json::parse(folder_.config_json);
    json["quantization_config"] = to_json(config_);
    if (layers_.contains(kOutput)) json["quantization_config"]["lm_head"] = true;
    if (untied_) json["tie_word_embeddings"] = false;
    return json.dump(2) + "\n";
  }

  HuggingFaceFolder folder_;
  const Model& model_;
  const std::map<std::string, QuantMatrix>& layers_;
  QuantizationConfig config_;
  bool untied_ = false;
  Sources quantized_, floating_;
};

}  // namespace

void write_gptq_folder(const std::filesystem::path& source, const Model& model,
                       const std::map<std::string, QuantMatrix>& layers,
                       const std::filesystem::path& target) {
  std::error_code error;
  if (std::filesystem::equivalent(source, target, error)) {
    throw InputError(target.string(), "is the folder of the model itself", "name another folder");
  }
  GptqWriter(source, model, layers).write(target);
}

}  // namespace qassay
