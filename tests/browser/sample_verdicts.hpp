#pragma once

#include <vector>

#include "core/record.hpp"

namespace qassay {

/// Verdicts of every kind, each claim's tested rows before those that are not testable.
std::vector<VerdictRow> sample_verdicts();

}  // namespace qassay
