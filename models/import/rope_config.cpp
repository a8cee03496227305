#include "models/import/rope_config.hpp"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {
namespace {

constexpr double kMostBase = 1 << 30;  // what a graph takes
constexpr const char* kTheta = "rope_theta";
constexpr const char* kPart = "partial_rotary_factor";

/// "rope_type", or "type" in older files.
std::string rope_type(const JsonObject& rope) {
  if (!rope.given("rope_type")) return rope.text("type");
  std::string type = rope.text("rope_type");
  if (rope.given("type") && rope.text("type") != type)
    rope.refuse("type", "is another than rope_type", "remove one of them");
  return type;
}

void want_whole_heads(const JsonObject& config) {
  if (config.given(kPart) && config.number(kPart, 0, 1) != 1)
    config.refuse(kPart, "is not 1, which is not read yet", "give a model that turns whole heads");
}

void read_llama3(const JsonObject& rope, Rotary& rotary) {
  constexpr std::int64_t kMostPositions = 1 << 20;
  constexpr double kLeast = std::numeric_limits<float>::min();
  rotary.low = rope.number("low_freq_factor", kLeast, kMostBase);
  rotary.high = rope.number("high_freq_factor", kLeast, kMostBase);
  rotary.original = rope.integer("original_max_position_embeddings", 1, kMostPositions);
  if (rotary.low >= rotary.high) {
    rope.refuse("high_freq_factor", "is not above low_freq_factor", "correct one of them");
  }
}

void read_scaling(const JsonObject& rope, Rotary& rotary) {
  std::vector<std::string_view> known{"rope_type", "type", kTheta, kPart};
  const std::string type = rope_type(rope);
  if (type != "default") {
    if (type != "linear" && type != "llama3") {
      rope.refuse(rope.given("rope_type") ? "rope_type" : "type",
                  fmt::format("is '{}', which is not read yet", excerpt(type)),
                  "give a model with one of default, linear, llama3");
    }
    known.emplace_back("factor");
    rotary.factor = rope.number("factor", 1, kMostBase);
  }
  if (type == "llama3") {
    known.insert(known.end(),
                 {"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"});
    read_llama3(rope, rotary);
  }
  rope.allow_only(known);
  want_whole_heads(rope);
}

}  // namespace

Rotary rope_field(const JsonObject& config, std::int64_t head) {
  Rotary rotary{.head = head};
  want_whole_heads(config);
  if (config.given(kTheta)) rotary.base = config.number(kTheta, 1, kMostBase);
  const bool newer = config.given("rope_parameters");
  if (newer && config.given("rope_scaling"))
    config.refuse("rope_scaling", "stands beside rope_parameters", "remove one of them");
  if (newer) {
    const JsonObject rope = config.object("rope_parameters");
    if (rope.given(kTheta)) {
      const double base = rope.number(kTheta, 1, kMostBase);
      if (config.given(kTheta) && rotary.base != base)
        rope.refuse(kTheta, "is another than that outside", "remove one of them");
      rotary.base = base;
    }
    read_scaling(rope, rotary);
  } else if (config.given("rope_scaling")) {
    read_scaling(config.object("rope_scaling"), rotary);
  }
  return rotary;
}

}  // namespace qassay
