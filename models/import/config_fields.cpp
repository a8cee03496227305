#include "models/import/config_fields.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace qassay {
namespace {

constexpr std::int64_t kMostSize = 1 << 20;  // what a graph takes

}  // namespace

std::int64_t size_field(const JsonObject& config, std::string_view key) {
  return config.integer(key, 1, kMostSize);
}

std::int64_t size_field(const JsonObject& config, std::string_view key, std::int64_t otherwise) {
  return config.given(key) ? size_field(config, key) : otherwise;
}

std::int64_t layers_field(const JsonObject& config, std::string_view key) {
  constexpr std::int64_t kMostLayers = 1024;
  return config.integer(key, 1, kMostLayers);
}

bool flag_field(const JsonObject& config, std::string_view key, bool otherwise) {
  return config.given(key) ? config.flag(key) : otherwise;
}

double epsilon_field(const JsonObject& config, std::string_view key, double otherwise) {
  return config.given(key) ? config.number(key, std::numeric_limits<float>::min(), 1) : otherwise;
}

void want_flag(const JsonObject& config, std::string_view key, bool value) {
  if (flag_field(config, key, value) != value) {
    config.refuse(key, fmt::format("is {}, which is not read yet", !value),
                  fmt::format("give a model where it is {}", value));
  }
}

decltype(Decoder::activation) activation_field(const JsonObject& config, std::string_view key,
                                               std::string_view otherwise) {
  static const std::vector<std::pair<std::string_view, decltype(Decoder::activation)>> kKnown{
      {"silu", Silu{}},
      {"swish", Silu{}},
      {"gelu", Gelu{}},
      {"gelu_new", GeluTanh{}},
      {"gelu_pytorch_tanh", GeluTanh{}},
      {"relu", Relu{}}};
  const std::string name = config.given(key) ? config.text(key) : std::string(otherwise);
  std::vector<std::string_view> names;
  for (const auto& [known, activation] : kKnown) {
    if (known == name) return activation;
    names.push_back(known);
  }
  config.refuse(key, fmt::format("is '{}', which is not read yet", excerpt(name)),
                fmt::format("give a model with one of {}", fmt::join(names, ", ")));
}

std::int64_t head_of(const JsonObject& config, std::int64_t channels, std::int64_t heads,
                     std::string_view channels_key, std::string_view heads_key) {
  if (channels % heads != 0) {
    config.refuse(
        heads_key,
        fmt::format("is {}, which does not divide the {} of {}", heads, channels, channels_key),
        "correct one of them");
  }
  return channels / heads;
}

}  // namespace qassay
