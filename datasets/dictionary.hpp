#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "datasets/data_source.hpp"
#include "datasets/text_set.hpp"

namespace qassay {

struct DictionaryFile {
  std::string name;    // inside the folder
  std::string sha256;  // of the file as it lies on disk
};

/// What a dictionary in dictd's format is, where it comes from, and how to know that it is
/// unchanged.
struct DictionaryManifest : DataSource {
  std::int64_t bytes = 0;     // of the text, unpacked
  std::int64_t entries = 0;   // different ones, without those about the dictionary itself
  std::int64_t not_utf8 = 0;  // of them; they are left out
  DictionaryFile text;        // gzip
  DictionaryFile index;
};

/// Throws InputError naming `place` and the line for text that is not TOML, lacks a key, has an
/// unknown one or one of a wrong type or value.
DictionaryManifest parse_dictionary_manifest(std::string_view toml, std::string_view place);

/// The manifests baked into the program. Throws InputError for an unknown name.
DictionaryManifest find_dictionary_manifest(std::string_view name);

/// The entries in the order of the file, each whole in one split: the first eight bytes of the
/// SHA-256 of its text, big-endian, modulo 100, put it into the test (0, 1), the calibration (2, 3)
/// or the training split (the rest), so equal entries are never in two. The text of a split is its
/// entries with one newline between them. Throws InputError for a missing, unreadable or changed
/// file, and where size, entries or those that are not UTF-8 are not what the manifest says.
TextSplits read_dictionary(const DictionaryManifest& manifest, const std::filesystem::path& folder);

/// Whether it is one that is baked into the program.
bool is_dictionary(std::string_view name);

/// Why the files of a dictionary known by name are not there, without reading them, or nothing.
std::optional<Refusal> dictionary_missing(std::string_view name);

/// A dictionary known by name, where folder_of() finds it.
TextSplits find_dictionary(std::string_view name);

}  // namespace qassay
