#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/machine.hpp"

namespace qassay {

/// The lists of a Machine as JSON text, for the columns of the store, and back.
std::string isas_to_json(const std::vector<Isa>& isas);     // ["any","avx512"]
std::string cores_to_json(const std::vector<int>& cores);   // [0,1]
std::string facts_to_json(const std::vector<Fact>& facts);  // [["governor","performance"]]
std::vector<Isa> isas_from_json(std::string_view text);
std::vector<int> cores_from_json(std::string_view text);
std::vector<Fact> facts_from_json(std::string_view text);

}  // namespace qassay
