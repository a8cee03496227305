#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/data_source.hpp"

namespace qassay {

enum class Split { train, test };
enum class Role { images, labels };

struct ManifestFile {
  std::string name;  // inside the folder
  Split split = Split::train;
  Role role = Role::images;
  std::int64_t count = 0;  // samples
  std::string sha256;      // of the file as it lies on disk
};

/// What a set of labelled images is, where it comes from, and how to know that it is unchanged.
struct Manifest : DataSource {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  std::vector<ManifestFile> files;  // one of each role in each split

  const ManifestFile& file(Split split, Role role) const;
};

/// Throws InputError naming `place` and the line for text that is not TOML, lacks a key, has an
/// unknown one or one of a wrong type or value, or does not list each role of each split once.
Manifest parse_manifest(std::string_view toml, std::string_view place);

/// The manifests baked into the program. Throws InputError for an unknown name.
Manifest find_manifest(std::string_view name);

}  // namespace qassay
