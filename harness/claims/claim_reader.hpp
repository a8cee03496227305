#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "harness/claims/claim.hpp"

namespace qassay {

/// Claims from TOML; the keys are listed in harness/claims/README.md. Throws InputError, naming
/// `place`, the line, the claim and the key, for text that is not TOML, an unknown or missing key,
/// a wrong type, an empty list, a duplicate, a number that is not finite, a range whose low end is
/// above its high end, and keys that contradict each other.
std::vector<Claim> read_claims(std::string_view toml, std::string_view place);

/// Throws InputError also where the file cannot be read.
std::vector<Claim> read_claims_file(const std::filesystem::path& path);

/// Those that ship with the program, by name; each a file of this folder.
std::vector<std::string> shipped_claims();
/// The claims of the shipped file `seed`: what the program judges where nothing else is asked for.
std::vector<Claim> seed_claims();

/// Shipped claims by name, or a file, by path.
std::vector<Claim> load_claims(const std::string& name_or_path);

}  // namespace qassay
