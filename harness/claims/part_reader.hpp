#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/toml_table.hpp"
#include "harness/claims/claim.hpp"

namespace qassay {

/// What a claim says of schemes, methods and ranges. All throw InputError with the key.

bool is_scheme(std::string_view text);

/// range = [2, 4], or value with a tolerance.
ClaimedRange read_range(const TomlTable& table);

/// The parts of a claim, or the one that its own keys make. `patterns`: whether schemes may be.
std::vector<ClaimPart> read_parts(const TomlTable& table, bool patterns);

/// order = [{ schemes = ["FP16"] }, { schemes = ["W8A8"], methods = ["gptq"] }, ...]
std::vector<ClaimPart> read_order(const TomlTable& table);

/// audit = [{ of = "what it is", quotient = [667, 1967], printed = [0.34], tolerance = 0.005 }];
/// none where the key is missing.
std::vector<Audit> read_audits(const TomlTable& table);

}  // namespace qassay
