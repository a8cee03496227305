#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {

class TomlTable;

/// Where data comes from: what every manifest says, whatever kind of data it describes.
struct DataSource {
  std::string name;
  std::string origin;  // URL
  std::string licence;
  std::string copyright;
  std::string package;           // of Debian, that installs the folder
  std::filesystem::path folder;  // where that package puts the files
};

/// These throw InputError with the line for a key that is missing, of a wrong type or value.
DataSource parse_source(const TomlTable& manifest);
std::string parse_file_name(const TomlTable& file);  // `name`, a plain name without folders
std::string parse_sha256(const TomlTable& file);     // `sha256`, 64 lowercase hexadecimal digits

/// Where the files lie on this machine: in the folder NAME of the folder that the environment
/// variable QASSAY_DATA_DIR names, else where the package puts them.
std::filesystem::path folder_of(const DataSource& source);

/// The whole file, as it lies on disk. Throws InputError when it cannot be read or has another
/// SHA-256.
std::vector<std::byte> read_checked(const std::filesystem::path& path, const std::string& sha256,
                                    const DataSource& source);

/// A manifest that is baked into the program.
struct BakedManifest {
  std::string_view name;
  std::string_view (*text)();
};

/// The text of one of `known`. Throws InputError for an unknown name.
std::string_view find_baked(std::span<const BakedManifest> known, std::string_view name);

}  // namespace qassay
