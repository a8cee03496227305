#pragma once

#include <cstdint>

#include "models/kv_format.hpp"

namespace qassay {

/// How far a text is that is run piece by piece.
struct TextState {
  std::int64_t past = 0;             // positions before the piece in hand
  KvFormat format = KvFormat::fp32;  // of their keys and values
};

}  // namespace qassay
