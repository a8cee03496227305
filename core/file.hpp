#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace qassay {

/// A file's bytes, mapped read-only. Whoever cuts the file short meanwhile ends the program
/// (SIGBUS).
class MappedFile {
 public:
  /// Throws InputError when it is no regular file, cannot be read, or has more than `limit` bytes.
  explicit MappedFile(const std::filesystem::path& path,
                      std::size_t limit = static_cast<std::size_t>(-1));
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A name in the same folder that no other process or thread takes.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Writes the parts one after the other under a temporary name, to the disk, then renames: a reader
/// sees the old file, none, or the whole new one, also where several processes write at once. Makes
/// missing folders. Throws InputError when the file cannot be written.
void replace_file(const std::filesystem::path& path,
                  std::span<const std::span<const std::byte>> parts);

}  // namespace qassay
