#include "datasets/dictionary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/toml_table.hpp"
#include "datasets/dictionary_index.hpp"
#include "datasets/gzip.hpp"
#include "datasets/utf8.hpp"
#include "embedded/gcide_toml.hpp"

namespace qassay {
namespace {

constexpr std::array kDictionaries{BakedManifest{"gcide", embedded::gcide_toml}};
constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;

/// Of a hundred entries.
constexpr std::uint64_t kTestShare = 2;
constexpr std::uint64_t kCalibrationShare = 2;

DictionaryFile parse_dictionary_file(const TomlTable& table) {
  table.allow_only({"name", "sha256"});
  return {parse_file_name(table), parse_sha256(table)};
}

std::string read_text(const DictionaryManifest& manifest, const std::filesystem::path& path) {
  const std::vector<std::byte> packed = read_checked(path, manifest.text.sha256, manifest);
  const std::string place = path.string();
  std::string text(static_cast<std::size_t>(manifest.bytes), '\0');
  GzipReader reader(packed, place);
  reader.read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  reader.expect_end();
  return text;
}

TextSet& split_of(std::string_view entry, TextSplits& splits) {
  const std::string digits = sha256(entry);
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + 16, number, 16);
  number %= 100;
  if (number < kTestShare) return splits.test;
  if (number < kTestShare + kCalibrationShare) return splits.calibration;
  return splits.training;
}

void check_count(std::int64_t found, std::int64_t wanted, std::string_view what,
                 const std::filesystem::path& path) {
  if (found == wanted) return;
  throw InputError(path.string(),
                   fmt::format("has {} {} where the manifest says {}", found, what, wanted),
                   "mend the manifest or the file");
}

}  // namespace

DictionaryManifest parse_dictionary_manifest(std::string_view toml, std::string_view place) {
  const toml::table parsed = parse_toml(toml, place);
  const TomlTable table(parsed, place);
  table.allow_only({"name", "origin", "licence", "copyright", "package", "folder", "bytes",
                    "entries", "not_utf8", "text", "index"});
  DictionaryManifest manifest;
  static_cast<DataSource&>(manifest) = parse_source(table);
  manifest.bytes = table.integer("bytes", 1, kMostBytes);
  manifest.entries = table.integer("entries", 1, kMostBytes);
  manifest.not_utf8 = table.integer("not_utf8", 0, manifest.entries);
  manifest.text = parse_dictionary_file(table.table("text"));
  manifest.index = parse_dictionary_file(table.table("index"));
  return manifest;
}

DictionaryManifest find_dictionary_manifest(std::string_view name) {
  return parse_dictionary_manifest(find_baked(kDictionaries, name),
                                   fmt::format("manifest of {}", name));
}

TextSplits read_dictionary(const DictionaryManifest& manifest,
                           const std::filesystem::path& folder) {
  const std::filesystem::path text_path = folder / manifest.text.name;
  const std::filesystem::path index_path = folder / manifest.index.name;
  const std::string text = read_text(manifest, text_path);
  const std::vector<std::byte> index = read_checked(index_path, manifest.index.sha256, manifest);
  const std::vector<DictionaryEntry> entries =
      read_dictionary_index({reinterpret_cast<const char*>(index.data()), index.size()},
                            text.size(), index_path.string());
  check_count(static_cast<std::int64_t>(entries.size()), manifest.entries, "entries", index_path);

  TextSplits splits;
  std::int64_t not_utf8 = 0;
  std::optional<std::uint64_t> first;
  for (const DictionaryEntry& place : entries) {
    const std::string_view entry = std::string_view(text).substr(place.offset, place.length);
    if (const auto fault = first_not_utf8(entry)) {
      ++not_utf8;
      if (!first) first = place.offset + *fault;
      continue;
    }
    std::string& joined = split_of(entry, splits).text;
    if (!joined.empty()) joined += '\n';
    joined += entry;
  }
  check_count(not_utf8, manifest.not_utf8,
              first ? fmt::format("entries that are not UTF-8 (the first at byte {})", *first)
                    : "entries that are not UTF-8",
              text_path);
  const auto finish = [&](TextSet& split, std::string_view name) {
    split.name = fmt::format("{}/{}", manifest.name, name);
    split.hash = sha256(split.text);
  };
  finish(splits.training, "train");
  finish(splits.calibration, "calibration");
  finish(splits.test, "test");
  return splits;
}

bool is_dictionary(std::string_view name) {
  return std::ranges::count(kDictionaries, name, &BakedManifest::name) > 0;
}

std::optional<Refusal> dictionary_missing(std::string_view name) {
  const DictionaryManifest manifest = find_dictionary_manifest(name);
  for (const DictionaryFile& file : {manifest.text, manifest.index}) {
    const std::filesystem::path path = folder_of(manifest) / file.name;
    if (!std::filesystem::exists(path))
      return Refusal{fmt::format("{} is not there (package {})", path.string(), manifest.package)};
  }
  return std::nullopt;
}

TextSplits find_dictionary(std::string_view name) {
  const DictionaryManifest manifest = find_dictionary_manifest(name);
  return read_dictionary(manifest, folder_of(manifest));
}

}  // namespace qassay
