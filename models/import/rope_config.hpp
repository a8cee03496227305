#pragma once

#include <cstdint>

#include "core/json_object.hpp"
#include "models/graph.hpp"

namespace qassay {

/// The rotation of positions that a config.json of Hugging Face asks for: rope_theta with
/// rope_scaling, or in newer files rope_parameters that has both; of the types default, linear and
/// llama3. `head`: channels of one, even.
Rotary rope_field(const JsonObject& config, std::int64_t head);

}  // namespace qassay
