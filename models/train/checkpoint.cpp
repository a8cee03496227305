#include "models/train/checkpoint.hpp"

#include <charconv>
#include <map>

#include "core/error.hpp"
#include "models/safetensors.hpp"

namespace qassay {
namespace {

constexpr std::string_view kOfOptimizer = "optimizer/";
constexpr const char* kKey = "recipe";
constexpr const char* kEpochs = "epochs";

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view fault) {
  throw InputError(file.string(), fault, "start again without --resume");
}

const std::string& text(const Safetensors& tensors, const char* key,
                        const std::filesystem::path& file) {
  const auto found = tensors.metadata().find(key);
  if (found == tensors.metadata().end()) refuse(file, "is no checkpoint of a training run");
  return found->second;
}

}  // namespace

void save_checkpoint(const Checkpoint& checkpoint, const std::string& key,
                     const std::filesystem::path& file) {
  Parameters all = checkpoint.parameters;
  for (const auto& [name, tensor] : checkpoint.optimizer)
    all.emplace(std::string(kOfOptimizer) + name, tensor);
  write_safetensors(all, {{kKey, key}, {kEpochs, std::to_string(checkpoint.epochs)}}, file);
}

Checkpoint load_checkpoint(const std::filesystem::path& file, const std::string& key,
                           const std::vector<ParameterShape>& shapes) {
  const Safetensors tensors(file);
  if (text(tensors, kKey, file) != key) refuse(file, "is of another model, data set or recipe");
  Checkpoint checkpoint;
  const std::string& epochs = text(tensors, kEpochs, file);
  const auto parsed =
      std::from_chars(epochs.data(), epochs.data() + epochs.size(), checkpoint.epochs);
  if (parsed.ec != std::errc{} || parsed.ptr != epochs.data() + epochs.size() ||
      checkpoint.epochs < 1)
    refuse(file, "does not say how many epochs were done");
  for (auto& [name, tensor] : tensors.tensors()) {
    if (name.starts_with(kOfOptimizer)) {
      checkpoint.optimizer.emplace(name.substr(kOfOptimizer.size()), std::move(tensor));
    } else {
      checkpoint.parameters.emplace(name, std::move(tensor));
    }
  }
  for (const ParameterShape& shape : shapes) {
    const auto found = checkpoint.parameters.find(shape.name);
    if (found == checkpoint.parameters.end() || found->second.dims != shape.dims)
      refuse(file, "lacks parameter '" + shape.name + "', or has it in another shape");
  }
  if (checkpoint.optimizer.empty()) refuse(file, "lacks the optimizer's state");
  if (checkpoint.parameters.size() != shapes.size())
    refuse(file, "has parameters of another model");
  return checkpoint;
}

}  // namespace qassay
