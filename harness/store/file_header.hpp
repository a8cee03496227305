#pragma once

#include <cstdint>
#include <filesystem>

namespace qassay {

/// What the first 100 bytes of a SQLite file say of whose file it is (SQLite's file format, 1.3).
struct FileHeader {
  bool is_database = false;
  std::int64_t application_id = 0;
  std::int64_t user_version = 0;
};

/// Looks at the bytes alone: no locks, no log, no journal, so that a file that is not ours stays as
/// it is, and one of ours is known even in the middle of a checkpoint, when the rest of the main
/// file makes no sense without its log. Throws InputError when the file cannot be read.
FileHeader read_file_header(const std::filesystem::path& path);

}  // namespace qassay
