#include "datasets/data_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/toml_table.hpp"

namespace qassay {

DataSource parse_source(const TomlTable& manifest) {
  DataSource source;
  source.name = manifest.text("name");
  source.origin = manifest.text("origin");
  source.licence = manifest.text("licence");
  source.copyright = manifest.text("copyright");
  source.package = manifest.text("package");
  source.folder = manifest.text("folder");
  return source;
}

std::string parse_file_name(const TomlTable& file) {
  std::string name = file.text("name");
  if (std::filesystem::path(name).filename() != name || name == "..") {
    file.refuse("name", "is not the plain name of a file in the folder", "leave out folders");
  }
  return name;
}

std::string parse_sha256(const TomlTable& file) {
  std::string digits = file.text("sha256");
  if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    file.refuse("sha256", "is not 64 lowercase hexadecimal digits", "write what sha256sum prints");
  }
  return digits;
}

std::filesystem::path folder_of(const DataSource& source) {
  const char* root = std::getenv("QASSAY_DATA_DIR");
  return root != nullptr && *root != '\0' ? std::filesystem::path(root) / source.name
                                          : source.folder;
}

std::vector<std::byte> read_checked(const std::filesystem::path& path, const std::string& sha256,
                                    const DataSource& source) {
  const std::string mend =
      fmt::format("install the package {}, or name the folder above {}/ in QASSAY_DATA_DIR",
                  source.package, source.name);
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);  // fails for all but regular files
  if (error) {
    throw InputError(path.string(), fmt::format("cannot be read ({})", error.message()), mend);
  }
  std::ifstream in(path, std::ios::binary);
  std::vector<std::byte> bytes(in ? size : 0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) {
    throw InputError(path.string(), fmt::format("cannot be read ({})", std::strerror(errno)), mend);
  }
  // The bytes that are hashed are the bytes that are used, whatever happens to the file meanwhile.
  if (const std::string found = qassay::sha256(bytes); found != sha256) {
    throw InputError(
        path.string(),
        fmt::format("has the SHA-256 {}, the manifest of {} says {}", found, source.name, sha256),
        fmt::format("install the package {} again", source.package));
  }
  return bytes;
}

std::string_view find_baked(std::span<const BakedManifest> known, std::string_view name) {
  std::vector<std::string_view> names;
  for (const BakedManifest& manifest : known) {
    if (manifest.name == name) return manifest.text();
    names.push_back(manifest.name);
  }
  throw InputError("dataset", fmt::format("\"{}\" is unknown", name),
                   fmt::format("known are {}", fmt::join(names, ", ")));
}

}  // namespace qassay
