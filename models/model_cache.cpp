#include "models/model_cache.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "models/model_folder.hpp"

namespace qassay {
namespace {

/// An absolute path from the environment; the XDG Base Directory Specification says to ignore
/// relative ones.
std::optional<std::filesystem::path> folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || !std::filesystem::path(value).is_absolute()) return std::nullopt;
  return value;
}

/// Writes the folder under another name, then renames it. A damaged one makes room.
void keep(const Model& model, const std::filesystem::path& path) {
  const std::filesystem::path temporary = temporary_name(path);
  std::error_code error;
  try {
    save_model_folder(model, temporary);
  } catch (const InputError&) {
    std::filesystem::remove_all(temporary, error);
    throw;
  }
  std::filesystem::remove_all(path, error);
  std::filesystem::rename(temporary, path, error);
  if (!error) return;
  const std::string why = error.message();
  std::filesystem::remove_all(temporary, error);
  // Another process that kept the same model meanwhile is no fault.
  if (!std::filesystem::is_directory(path, error)) {
    throw InputError(path.string(), fmt::format("cannot be written ({})", why),
                     "check the folder's permissions and free space");
  }
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
      folder.empty() ? folder : folder / fmt::format("{}-{}", name, sha256(key));
  CachedModel result;
  std::error_code error;
  if (!path.empty() && std::filesystem::exists(path, error)) {
    try {
      return {load_model_folder(path), false, ""};
    } catch (const InputError& fault) {
      result.note = fault.what();
    }
  }
  result.model = fit();
  result.fitted = true;
  if (!path.empty()) {
    try {
      keep(result.model, path);
    } catch (const InputError& fault) {
      result.note = fault.what();
    }
  }
  return result;
}

}  // namespace qassay
