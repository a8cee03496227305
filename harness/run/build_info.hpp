#pragma once

#include <string>

namespace qassay {

/// The git revision that this program was built from, "-dirty" behind it when files were changed;
/// "unknown" outside a checkout.
std::string build_revision();

/// Version, revision, compiler, flags and library versions, for `--version` and the store.
std::string version_text();

}  // namespace qassay
