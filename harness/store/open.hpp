#pragma once

#include <chrono>
#include <filesystem>

#include "harness/store/database.hpp"

namespace qassay {

/// Opens a store for writing (created where there is no file) and brings it to the newest schema,
/// or for reading. Throws InputError, and leaves the file as it was, when it is not a store, is of
/// a newer schema, is damaged, is locked for longer than `busy_timeout`, or may not be read or
/// written.
Database open_store_for_writing(const std::filesystem::path& path,
                                std::chrono::milliseconds busy_timeout);
Database open_store_for_reading(const std::filesystem::path& path,
                                std::chrono::milliseconds busy_timeout);

}  // namespace qassay
