#include "models/model_cache.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "models/model_file.hpp"

namespace qassay {
namespace {

/// An absolute path from the environment; the XDG Base Directory Specification says to ignore
/// relative ones.
std::optional<std::filesystem::path> folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || !std::filesystem::path(value).is_absolute()) return std::nullopt;
  return value;
}

}  // namespace

std::filesystem::path default_cache_folder() {
  if (const auto own = folder_from("QASSAY_CACHE_DIR")) return *own;
  if (const auto cache = folder_from("XDG_CACHE_HOME")) return *cache / "qassay";
  if (const auto home = folder_from("HOME")) return *home / ".cache" / "qassay";
  return {};
}

CachedModel cached_model(const std::filesystem::path& folder, const std::string& name,
                         const std::string& key, const std::function<Model()>& fit) {
  const std::filesystem::path path =
      folder.empty() ? folder : folder / fmt::format("{}-{}.model", name, sha256(key));
  CachedModel result;
  if (!path.empty()) {
    try {
      if (std::optional<Model> kept = load_model(path)) return {std::move(*kept), false, ""};
    } catch (const InputError& error) {
      result.note = error.what();
    }
  }
  result.model = fit();
  result.fitted = true;
  if (!path.empty()) {
    try {
      save_model(result.model, path);
    } catch (const InputError& error) {
      result.note = error.what();
    }
  }
  return result;
}

}  // namespace qassay
