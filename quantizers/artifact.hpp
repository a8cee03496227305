#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "quantizers/quantize_model.hpp"

namespace qassay {

/// A quantized model with what it cost to make.
struct Artifact {
  QuantizedModel quantized;
  double seconds = 0;
  std::int64_t peak_bytes = 0;  // resident, of the process that made it
};

/// One safetensors file: of layer NAME "NAME.codes" U8 [n,k], "NAME.scales" F32 and, for asymmetric
/// schemes, "NAME.zero_points" U8, [n, blocks] or [1] for one scale in all; the parameters that
/// differ from the float model's under "model.", F32; metadata with "key", "seconds",
/// "peak_bytes" and the notes. Integer schemes only. Whole or not at all; throws InputError when it
/// cannot be written.
void save_artifact(const Artifact& artifact, const Model& floating, const std::string& key,
                   const std::filesystem::path& path);

/// Bit for bit what was saved. `floating`, `scheme`: what it was made of. Throws InputError naming
/// file and tensor for a file that is damaged, or of another key.
Artifact load_artifact(const Model& floating, const Scheme& scheme, const std::string& key,
                       const std::filesystem::path& path);

/// The artifact kept under the hash of `key` in a folder (default_cache_folder(); empty: none is
/// kept), or else what `make` makes, which is then kept. `key` has to name everything that it
/// depends on. A damaged file is replaced, one that cannot be written left out.
Artifact cached_artifact(const std::filesystem::path& folder, const std::string& key,
                         const Model& floating, const Scheme& scheme,
                         const std::function<Artifact()>& make);

}  // namespace qassay
