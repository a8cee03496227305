#include "models/import/decoder_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/import/architectures.hpp"

namespace qassay {

DecoderConfig decoder_config(const JsonObject& config) {
  constexpr const char* kArchitectures = "architectures";
  static constexpr std::pair<std::string_view, DecoderConfig (*)(const JsonObject&)> kReaders[] = {
      {"LlamaForCausalLM", llama_config},
      {"MistralForCausalLM", mistral_config},
      {"Qwen2ForCausalLM", qwen2_config},
      {"GPT2LMHeadModel", gpt2_config},
      {"OPTForCausalLM", opt_config}};
  const std::vector<std::string> names = config.texts(kArchitectures);
  if (names.size() != 1) config.refuse(kArchitectures, "does not name one", "name one");
  std::vector<std::string_view> known;
  for (const auto& [name, read] : kReaders) {
    if (name == names.front()) return read(config);
    known.push_back(name);
  }
  config.refuse(kArchitectures,
                fmt::format("names '{}', which is not read yet", excerpt(names.front())),
                fmt::format("give a model of one of {}", fmt::join(known, ", ")));
}

}  // namespace qassay
