#include "datasets/tokenizers/tokenizer_config.hpp"

#include <fmt/format.h>

#include <initializer_list>

#include "core/json_object.hpp"

namespace qassay {
namespace {

constexpr int kConfigDepth = 64;  // descriptions of tools and the like

std::optional<std::int32_t> first_of(std::initializer_list<const char*> names,
                                     const Vocabulary& vocabulary) {
  for (const char* name : names) {
    if (const auto id = vocabulary.find(name)) return id;
  }
  return std::nullopt;
}

}  // namespace

TokenizerConfig::TokenizerConfig(const std::optional<std::string>& json, std::string_view folder)
    : file_(fmt::format("{}/{}", folder, kTokenizerConfigFile)),
      json_(json ? parse_json(*json, file_, kConfigDepth) : nlohmann::json::object()) {
  const JsonObject check(json_, file_);
}

bool TokenizerConfig::mentions(const char* key) const { return json_.contains(key); }

std::optional<std::int32_t> TokenizerConfig::named(const char* key,
                                                   const Vocabulary& vocabulary) const {
  const nlohmann::json& value = json_.at(key);
  if (value.is_null()) return std::nullopt;
  const JsonObject config(json_, file_);
  const std::string name =
      value.is_object() ? config.object(key).text("content") : config.text(key);
  const auto id = vocabulary.find(name);
  if (!id) {
    config.refuse(key, fmt::format("is '{}', which is not in the vocabulary", excerpt(name)),
                  "name a token of it, or write null");
  }
  return id;
}

std::optional<std::int32_t> TokenizerConfig::bos(const Vocabulary& vocabulary) const {
  if (mentions("bos_token")) return named("bos_token", vocabulary);
  return first_of({"<|begin_of_text|>", "<s>", "<|endoftext|>"}, vocabulary);
}

std::optional<std::int32_t> TokenizerConfig::eos(const Vocabulary& vocabulary) const {
  if (mentions("eos_token")) return named("eos_token", vocabulary);
  return first_of({"<|end_of_text|>", "</s>", "<|endoftext|>"}, vocabulary);
}

std::optional<std::string> TokenizerConfig::tokenizer_class() const {
  const JsonObject config(json_, file_);
  if (!config.given("tokenizer_class")) return std::nullopt;
  return config.text("tokenizer_class");
}

bool TokenizerConfig::add_prefix_space() const {
  const JsonObject config(json_, file_);
  return config.given("add_prefix_space") && config.flag("add_prefix_space");
}

}  // namespace qassay
