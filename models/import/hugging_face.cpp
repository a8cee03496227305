#include "models/import/hugging_face.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/json_object.hpp"
#include "models/import/hugging_face_folder.hpp"
#include "models/import/tensor_files.hpp"
#include "models/import/tensor_sources.hpp"

namespace qassay {
namespace {

constexpr int kConfigDepth = 16;
constexpr const char* kQuantization = "quantization_config";

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

}  // namespace

bool is_hugging_face(std::string_view config_json, std::string_view file) {
  return parse_json(config_json, file, kConfigDepth).contains("architectures");
}

bool is_quantized(std::string_view config_json, std::string_view file) {
  const nlohmann::json json = parse_json(config_json, file, kConfigDepth);
  return JsonObject(json, file).given(kQuantization);
}

HuggingFaceConfig parse_hugging_face_config(std::string_view config_json, std::string_view file,
                                            std::int64_t context) {
  const nlohmann::json json = parse_json(config_json, file, kConfigDepth);
  const JsonObject object(json, file);
  HuggingFaceConfig config{decoder_config(object), {}};
  if (object.given(kQuantization))
    config.quantization = quantization_config(object.object(kQuantization));
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

Model load_hugging_face(const std::filesystem::path& path, std::int64_t context) {
  const HuggingFaceFolder folder(path, context);
  if (folder.config.quantization) {
    throw InputError(fmt::format("{}: {}", folder.config_path(), kQuantization),
                     "says that the weights are quantized",
                     "give the model with weights of F32, F16 or BF16");
  }
  std::set<std::string> used;
  for (const TensorSource& source : folder.sources) used.insert(source.tensor);
  folder.check_unused(std::move(used));
  Model model = folder.model_without_parameters();
  for (const TensorSource& source : folder.sources) {
    model.parameters[source.parameter.name] =
        take_parameter(source, folder.files.tensor(source.tensor, source.dims));
  }
  folder.check_tied_head(model.parameters);
  return model;
}

}  // namespace qassay
