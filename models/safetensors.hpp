#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.hpp"
#include "models/model.hpp"

namespace qassay {

/// The safetensors format (github.com/huggingface/safetensors): the length of the header as a
/// little-endian uint64; the header, a JSON object that begins at once and may end in spaces; the
/// data. The header gives each tensor by name {"dtype", "shape", "data_offsets": [begin, end]}, the
/// offsets counted from the data's begin, row-major and little-endian; the tensors cover the data
/// without gap or overlap. "__metadata__" gives texts by name.

/// A tensor of a file, its bytes where the file has them (aligned to nothing).
struct TensorEntry {
  std::string name;
  std::string dtype;  // "F32", "BF16", "I8", ...
  std::vector<std::int64_t> dims;
  std::span<const std::byte> bytes;
};

/// A file that is not trusted: every fault is an InputError with file, tensor, fault and mend.
class Safetensors {
 public:
  /// Maps the file.
  explicit Safetensors(const std::filesystem::path& path);
  /// Bytes that outlive this; messages call them `place`.
  Safetensors(std::span<const std::byte> bytes, std::string_view place);

  /// In the order of their bytes.
  const std::vector<TensorEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// The values of an entry of this file, exactly. Throws InputError for a dtype other than F32,
  /// F16 and BF16 and for values that are not finite.
  Tensor tensor(const TensorEntry& entry) const;
  /// All entries by name.
  Parameters tensors() const;

 private:
  void read(std::span<const std::byte> bytes);

  std::optional<MappedFile> file_;
  std::string place_;
  std::vector<TensorEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// How the values of a file are stored: both hold them exactly.
enum class Storage { f32, f16 };

/// Writes tensors in the order of their names, the data aligned to 8 bytes: the same bytes for the
/// same arguments. Whole or not at all, as replace_file(). Throws InputError when the file cannot
/// be written and std::invalid_argument for a tensor whose dims and number of values differ, or
/// with a value that the storage does not hold.
void write_safetensors(const Parameters& tensors,
                       const std::map<std::string, std::string>& metadata,
                       const std::filesystem::path& path, Storage storage = Storage::f32);

/// The same for tensors of any type, in this order.
void write_safetensors(std::span<const TensorEntry> entries,
                       const std::map<std::string, std::string>& metadata,
                       const std::filesystem::path& path);

}  // namespace qassay
