#include "datasets/manifest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "core/toml_table.hpp"
#include "embedded/fashion_mnist_toml.hpp"

namespace qassay {
namespace {

constexpr std::array kManifests{BakedManifest{"fashion-mnist", embedded::fashion_mnist_toml}};

/// Rows and columns of an image, and classes: beyond these a number is a slip of the pen.
/// Predictions are bytes (datasets/scoring.hpp), one value of which means none.
constexpr std::int64_t kLargestSide = 1 << 14;
constexpr std::int64_t kMostClasses = 255;
constexpr std::int64_t kMostSamples = std::int64_t{1} << 32;

template <typename Enum>
Enum choice(const TomlTable& table, std::string_view key,
            std::initializer_list<std::pair<std::string_view, Enum>> choices) {
  const std::string value = table.text(key);
  std::vector<std::string_view> names;
  for (const auto& [name, meaning] : choices) {
    if (value == name) return meaning;
    names.push_back(name);
  }
  table.refuse(key, fmt::format("is '{}'", value),
               fmt::format("choose {}", fmt::join(names, " or ")));
}

ManifestFile parse_file(const TomlTable& table) {
  table.allow_only({"name", "split", "role", "count", "sha256"});
  ManifestFile file;
  file.name = parse_file_name(table);
  file.split = choice<Split>(table, "split", {{"train", Split::train}, {"test", Split::test}});
  file.role = choice<Role>(table, "role", {{"images", Role::images}, {"labels", Role::labels}});
  file.count = table.integer("count", 1, kMostSamples);
  file.sha256 = parse_sha256(table);
  return file;
}

/// Exactly one file of each role in each split, images and labels of the same number.
void check_files(const Manifest& manifest, const TomlTable& table) {
  for (const Split split : {Split::train, Split::test}) {
    for (const Role role : {Role::images, Role::labels}) {
      const auto matches =
          std::count_if(manifest.files.begin(), manifest.files.end(),
                        [&](const ManifestFile& f) { return f.split == split && f.role == role; });
      if (matches != 1) {
        table.refuse("files",
                     fmt::format("lists {} files of {} for the {} split", matches,
                                 role == Role::images ? "images" : "labels",
                                 split == Split::train ? "train" : "test"),
                     "list one");
      }
    }
    if (manifest.file(split, Role::images).count != manifest.file(split, Role::labels).count) {
      table.refuse("files", "has different counts of images and labels in a split",
                   "make them equal");
    }
  }
}

}  // namespace

const ManifestFile& Manifest::file(Split split, Role role) const {
  for (const ManifestFile& candidate : files) {
    if (candidate.split == split && candidate.role == role) return candidate;
  }
  throw std::logic_error("a manifest that parse_manifest did not check");
}

Manifest parse_manifest(std::string_view toml, std::string_view place) {
  const toml::table parsed = parse_toml(toml, place);
  const TomlTable table(parsed, place);
  table.allow_only(
      {"name", "origin", "licence", "copyright", "package", "folder", "shape", "classes", "files"});
  Manifest manifest;
  static_cast<DataSource&>(manifest) = parse_source(table);
  const std::vector<std::int64_t> shape = table.integers("shape", 2, 1, kLargestSide);
  manifest.height = shape[0];
  manifest.width = shape[1];
  manifest.classes = table.integer("classes", 2, kMostClasses);
  for (const TomlTable& file : table.tables("files")) manifest.files.push_back(parse_file(file));
  check_files(manifest, table);
  return manifest;
}

Manifest find_manifest(std::string_view name) {
  return parse_manifest(find_baked(kManifests, name), fmt::format("manifest of {}", name));
}

}  // namespace qassay
