#include "models/import/quantization_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "models/import/config_fields.hpp"

namespace qassay {
namespace {

constexpr std::int64_t kSmallestGroup = 8;
constexpr std::int64_t kLargestGroup = 4096;
constexpr const char* kFormat = "checkpoint_format";
constexpr const char* kFirstFormat = "gptq";
constexpr const char* kSecondFormat = "gptq_v2";

std::string lower_text(const JsonObject& json, std::string_view key, std::string_view otherwise) {
  std::string text = json.given(key) ? json.text(key) : std::string(otherwise);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

[[noreturn]] void refuse_value(const JsonObject& json, std::string_view key, std::string_view value,
                               std::string_view read) {
  json.refuse(key, fmt::format("is '{}', which is not read", excerpt(value)),
              fmt::format("give a model of {}", read));
}

std::int64_t group_field(const JsonObject& json) {
  constexpr const char* kGroup = "group_size";
  const std::int64_t group = json.integer(kGroup, -1, std::int64_t{1} << 20);
  if (group == -1) return 0;
  if (group < kSmallestGroup || group > kLargestGroup) {
    json.refuse(
        kGroup, fmt::format("is {}", group),
        fmt::format("give a model with -1 or from {} to {}", kSmallestGroup, kLargestGroup));
  }
  return group;
}

bool is_packed_width(int bits) { return bits == 2 || bits == 3 || bits == 4 || bits == 8; }

QuantizationConfig read_gptq(const JsonObject& json) {
  QuantizationConfig config{.layout = PackedLayout::gptq,
                            .bits = static_cast<int>(json.integer("bits", 2, 8)),
                            .group = group_field(json),
                            .symmetric = flag_field(json, "sym", true),
                            .ordered = flag_field(json, "desc_act", false)};
  if (!is_packed_width(config.bits)) {
    json.refuse("bits", fmt::format("is {}, which this layout does not have", config.bits),
                "give a model of 2, 3, 4 or 8 bits");
  }
  const std::string format = lower_text(json, kFormat, kFirstFormat);
  if (format != kFirstFormat && format != kSecondFormat)
    refuse_value(json, kFormat, format, "gptq or gptq_v2");
  config.zero_is_less_by = format == kFirstFormat ? 1 : 0;
  want_flag(json, "is_marlin_format", false);
  const std::string words = lower_text(json, "pack_dtype", "int32");
  if (words != "int32") refuse_value(json, "pack_dtype", words, "int32");
  if (json.given("dynamic") && !json.object("dynamic").keys().empty()) {
    json.refuse("dynamic", "says other things of some layers: is not read",
                "give a model whose layers are quantized alike");
  }
  return config;
}

QuantizationConfig read_awq(const JsonObject& json) {
  const std::string version = lower_text(json, "version", "gemm");
  if (version != "gemm") refuse_value(json, "version", version, "version gemm");
  want_flag(json, "zero_point", true);
  const std::int64_t bits = json.integer("bits", 2, 8);
  if (bits != 4) {
    json.refuse("bits", fmt::format("is {}, which this layout does not have", bits),
                "give a model of 4 bits");
  }
  return {.layout = PackedLayout::awq, .bits = 4, .group = group_field(json)};
}

}  // namespace

QuantizationConfig quantization_config(const JsonObject& json) {
  constexpr const char* kMethod = "quant_method";
  const std::string method = lower_text(json, kMethod, "");
  if (method == "gptq") return read_gptq(json);
  if (method == "awq") return read_awq(json);
  if (!json.given(kMethod)) json.refuse(kMethod, "is missing", "name it: gptq or awq");
  refuse_value(json, kMethod, method, "gptq or awq");
}

Scheme scheme_of(const QuantizationConfig& config) {
  std::string text = fmt::format("W{}A16", config.bits);
  if (config.group > 0) text += fmt::format("-g{}", config.group);
  if (!config.symmetric) text += "-asym";
  return parse_scheme(text);
}

QuantizationConfig gptq_config(const Scheme& scheme, bool some_zero_is_0) {
  const NumberFormat& weights = scheme.weights;
  const QuantizationConfig config{.layout = PackedLayout::gptq,
                                  .bits = weights.bits,
                                  .group = weights.block,
                                  .symmetric = !weights.zero_points,
                                  .zero_is_less_by = some_zero_is_0 ? 0 : 1};
  if (weights.kind != Kind::integer || !is_packed_width(weights.bits) ||
      scheme_of(config) != scheme) {
    throw InputError(to_string(scheme), "is no scheme that a GPTQ checkpoint can say",
                     "quantize to W2A16, W3A16, W4A16 or W8A16, with or without -g<N> and -asym");
  }
  return config;
}

nlohmann::json to_json(const QuantizationConfig& config) {
  return {{"quant_method", "gptq"},
          {"bits", config.bits},
          {"group_size", config.group == 0 ? -1 : config.group},
          {"sym", config.symmetric},
          {"desc_act", config.ordered},
          {kFormat, config.zero_is_less_by == 1 ? kFirstFormat : kSecondFormat}};
}

}  // namespace qassay
