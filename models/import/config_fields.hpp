#pragma once

#include <cstdint>
#include <string_view>

#include "core/json_object.hpp"
#include "models/decoder.hpp"

namespace qassay {

/// Keys of a config.json of Hugging Face, where null is the same as left out. What the library that
/// wrote it would take for a key that is left out is `otherwise`.

/// A count or size. Throws InputError unless it is from 1 to 2^20.
std::int64_t size_field(const JsonObject& config, std::string_view key);
std::int64_t size_field(const JsonObject& config, std::string_view key, std::int64_t otherwise);
/// From 1 to 1024: more than any model has, few enough that a graph of them is made in no time.
std::int64_t layers_field(const JsonObject& config, std::string_view key);
bool flag_field(const JsonObject& config, std::string_view key, bool otherwise);
/// Of a norm.
double epsilon_field(const JsonObject& config, std::string_view key, double otherwise);

/// Throws InputError where the key is given and says another thing than the only one that is read.
void want_flag(const JsonObject& config, std::string_view key, bool value);

decltype(Decoder::activation) activation_field(const JsonObject& config, std::string_view key,
                                               std::string_view otherwise);

/// The channels of a head, where `channels` have to be a whole number of them.
std::int64_t head_of(const JsonObject& config, std::int64_t channels, std::int64_t heads,
                     std::string_view channels_key, std::string_view heads_key);

}  // namespace qassay
