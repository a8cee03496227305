#pragma once

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "kernels/kernel.hpp"

namespace qassay {

/// Where the libraries of peers lie: the folder that QASSAY_PEERS names, else out/peers in the
/// working directory.
std::filesystem::path peers_folder();

/// A peer's library at run time: what it says of its version, or why it cannot be used.
struct PeerState {
  std::string version;
  std::string missing;  // empty when it can be used

  Backend backend(std::string_view name) const { return {name, version, missing, true}; }
  std::optional<Refusal> refuses() const {
    return missing.empty() ? std::nullopt : std::optional(Refusal{missing});
  }
};

/// The reason of a library that is not in the folder.
std::string peer_not_found(const std::filesystem::path& path);

/// Finds functions by their names in a library that was loaded.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <typename Function>
  void find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(library_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  /// The first that was not found; empty when all were.
  const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

}  // namespace qassay
