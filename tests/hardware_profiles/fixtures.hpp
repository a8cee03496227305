#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/machine.hpp"
#include "hardware_profiles/sources.hpp"

namespace qassay {

/// A small tree of /proc and /sys files; the topology is always made up.
inline Sources fixture(std::string_view name, std::string topology = "package:1 core:2 pu:1") {
  return {std::filesystem::path(QASSAY_FIXTURES) / name, std::move(topology)};
}

inline std::string value_of(const std::vector<Fact>& facts, std::string_view name) {
  for (const Fact& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  return "no such fact";
}

}  // namespace qassay
