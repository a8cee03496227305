#include "datasets/manifest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <stdexcept>

#include "core/error.hpp"
#include "embedded/fashion_mnist_toml.hpp"

namespace qassay {
namespace {

struct Embedded {
  std::string_view name;
  std::string_view (*text)();
};
constexpr std::array kManifests{Embedded{"fashion-mnist", embedded::fashion_mnist_toml}};

/// Rows and columns of an image, and classes: beyond these a number is a slip of the pen.
/// Predictions are bytes (datasets/scoring.hpp), one value of which means none.
constexpr std::int64_t kLargestSide = 1 << 14;
constexpr std::int64_t kMostClasses = 255;
constexpr std::int64_t kMostSamples = std::int64_t{1} << 32;

/// A table whose keys are all asked for once; what is left over is an error.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string_view place) : table_(table), place_(place) {}

  std::string text(std::string_view key) {
    auto value = node(key).value_exact<std::string>();
    if (!value || value->empty()) fail(key, "is not a text, or empty");
    return *value;
  }

  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) {
    return checked_integer(node(key), key, low, high);
  }

  std::vector<std::int64_t> integers(std::string_view key, std::size_t size, std::int64_t low,
                                     std::int64_t high) {
    const toml::array* array = node(key).as_array();
    if (array == nullptr || array->size() != size) {
      fail(key, fmt::format("is not a list of {} numbers", size));
    }
    std::vector<std::int64_t> values;
    for (const toml::node& element : *array) {
      values.push_back(checked_integer(element, key, low, high));
    }
    return values;
  }

  template <typename Enum>
  Enum choice(std::string_view key,
              std::initializer_list<std::pair<std::string_view, Enum>> choices) {
    const std::string value = text(key);
    std::vector<std::string_view> names;
    for (const auto& [name, meaning] : choices) {
      if (value == name) return meaning;
      names.push_back(name);
    }
    fail(key, fmt::format("is \"{}\", not one of {}", value, fmt::join(names, ", ")));
  }

  const toml::array& tables(std::string_view key) {
    const toml::array* array = node(key).as_array();
    if (array == nullptr || array->empty() || !array->is_homogeneous<toml::table>()) {
      fail(key, "is not a list of tables");
    }
    return *array;
  }

  void expect_nothing_else() const {
    for (const auto& [key, value] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        throw InputError(at(value), fmt::format("unknown key \"{}\"", key.str()),
                         fmt::format("known here are {}", fmt::join(known_, ", ")));
      }
    }
  }

  [[noreturn]] void fail(std::string_view key, std::string_view fault) const {
    const toml::node* node = table_.get(key);
    throw InputError(at(node != nullptr ? *node : table_), fmt::format("\"{}\" {}", key, fault),
                     "mend the manifest");
  }

 private:
  const toml::node& node(std::string_view key) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (node == nullptr) fail(key, "is missing");
    return *node;
  }

  std::int64_t checked_integer(const toml::node& node, std::string_view key, std::int64_t low,
                               std::int64_t high) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < low || *value > high) {
      fail(key, fmt::format("is not a whole number from {} to {}", low, high));
    }
    return *value;
  }

  std::string at(const toml::node& node) const {
    return fmt::format("{}:{}", place_, node.source().begin.line);
  }

  const toml::table& table_;
  std::string_view place_;
  std::vector<std::string_view> known_;
};

ManifestFile parse_file(const toml::table& table, std::string_view place) {
  TableReader reader(table, place);
  ManifestFile file;
  file.name = reader.text("name");
  if (std::filesystem::path(file.name).filename() != file.name || file.name == "..") {
    reader.fail("name", "is not the plain name of a file in the folder");
  }
  file.split = reader.choice<Split>("split", {{"train", Split::train}, {"test", Split::test}});
  file.role = reader.choice<Role>("role", {{"images", Role::images}, {"labels", Role::labels}});
  file.count = reader.integer("count", 1, kMostSamples);
  file.sha256 = reader.text("sha256");
  if (file.sha256.size() != 64 ||
      file.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    reader.fail("sha256", "is not 64 lowercase hexadecimal digits");
  }
  reader.expect_nothing_else();
  return file;
}

/// Exactly one file of each role in each split, images and labels of the same number.
void check_files(const Manifest& manifest, const TableReader& reader) {
  for (const Split split : {Split::train, Split::test}) {
    for (const Role role : {Role::images, Role::labels}) {
      const auto matches =
          std::count_if(manifest.files.begin(), manifest.files.end(),
                        [&](const ManifestFile& f) { return f.split == split && f.role == role; });
      if (matches != 1) {
        reader.fail("files",
                    fmt::format("lists {} files of {} for the {} split where one is wanted",
                                matches, role == Role::images ? "images" : "labels",
                                split == Split::train ? "train" : "test"));
      }
    }
    if (manifest.file(split, Role::images).count != manifest.file(split, Role::labels).count) {
      reader.fail("files", "has different counts of images and labels in a split");
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
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}", place, error.source().begin.line), error.description(),
                     "mend the manifest");
  }
  TableReader reader(table, place);
  Manifest manifest;
  manifest.name = reader.text("name");
  manifest.origin = reader.text("origin");
  manifest.licence = reader.text("licence");
  manifest.copyright = reader.text("copyright");
  manifest.package = reader.text("package");
  manifest.folder = reader.text("folder");
  const std::vector<std::int64_t> shape = reader.integers("shape", 2, 1, kLargestSide);
  manifest.height = shape[0];
  manifest.width = shape[1];
  manifest.classes = reader.integer("classes", 2, kMostClasses);
  for (const toml::node& file : reader.tables("files")) {
    manifest.files.push_back(parse_file(*file.as_table(), place));
  }
  reader.expect_nothing_else();
  check_files(manifest, reader);
  return manifest;
}

Manifest find_manifest(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Embedded& manifest : kManifests) {
    if (manifest.name == name) {
      return parse_manifest(manifest.text(), fmt::format("manifest of {}", name));
    }
    names.push_back(manifest.name);
  }
  throw InputError("dataset", fmt::format("\"{}\" is unknown", name),
                   fmt::format("known are {}", fmt::join(names, ", ")));
}

}  // namespace qassay
