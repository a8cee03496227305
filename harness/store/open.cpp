#include "harness/store/open.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "core/error.hpp"
#include "harness/store/file_header.hpp"
#include "harness/store/schema.hpp"

namespace qassay {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::string_view kNameAStore = "name a store that `qassay run` wrote";

void refuse_newer(const fs::path& path, std::int64_t version) {
  const auto newest = static_cast<std::int64_t>(store_migrations().size());
  if (version > newest) {
    throw InputError(
        path.string(),
        fmt::format("is of schema version {}, newer than the {} that this program knows", version,
                    newest),
        "use the newer qassay that wrote it, or name another store");
  }
}

enum class Found { nothing, empty, store };

Found inspect(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return Found::nothing;
  if (error) {
    throw InputError(path.string(), fmt::format("cannot be opened ({})", error.message()),
                     "check the permissions of its folders");
  }
  if (status.type() == fs::file_type::directory) {
    throw InputError(path.string(), "is a folder, not a store", "name a file");
  }
  if (status.type() != fs::file_type::regular) {
    throw InputError(path.string(), "is not a regular file", "name a file");
  }
  if (fs::file_size(path) == 0) return Found::empty;

  const FileHeader header = read_file_header(path);
  if (!header.is_database) {
    throw InputError(path.string(), "is not a database", kNameAStore);
  }
  if (header.application_id != kStoreApplicationId) {
    throw InputError(path.string(), "is another program's database", kNameAStore);
  }
  refuse_newer(path, header.user_version);
  return Found::store;
}

// The version in the main file may be older than the one in the log: asked again once the log is
// seen. Until then closing must not fold the log in.
void check_contents(const fs::path& path, Database& database) {
  database.checkpoint_on_close(false);
  database.execute("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
  refuse_newer(path, database.value<std::int64_t>("PRAGMA user_version"));
}

// SQLite does not wait for a lock while it changes the mode (it would have to upgrade its own).
void use_log(Database& database, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (database.value<std::string>("PRAGMA journal_mode") != "wal") {
    try {
      database.execute("PRAGMA journal_mode = WAL");
    } catch (const LockedError&) {
      if (std::chrono::steady_clock::now() >= end) throw;
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
}

// A store on a medium or in a folder that may not be written has no place for a log and its index.
// Where there is no log there is no writer either, and the main file holds everything.
bool lies_still(const fs::path& path) {
  const fs::path folder = fs::absolute(path).parent_path();
  return !fs::exists(path.string() + "-wal") &&
         faccessat(AT_FDCWD, folder.c_str(), W_OK, AT_EACCESS) != 0;
}

}  // namespace

Database open_store_for_writing(const fs::path& path, milliseconds busy_timeout) {
  const Found found = inspect(path);
  const fs::path folder = fs::absolute(path).parent_path();
  if (found == Found::nothing && !fs::is_directory(folder)) {
    throw InputError(path.string(), fmt::format("its folder {} does not exist", folder.string()),
                     "create the folder, or name another store");
  }
  Database database(path, Database::Access::write, busy_timeout);
  if (database.read_only()) {
    throw InputError(path.string(), "may not be written",
                     "change its permissions, or name another store");
  }
  check_contents(path, database);
  // A night of measuring must not end at a damaged page that was there before.
  if (const auto said = database.value<std::string>("PRAGMA quick_check(1)"); said != "ok") {
    throw InputError(path.string(), fmt::format("is damaged ({})", said),
                     "restore a copy of it, or name another store");
  }
  // The schema first, in the main file: there inspect() finds whose file this is.
  migrate(database, store_migrations());
  use_log(database, busy_timeout);
  database.checkpoint_on_close(true);
  return database;
}

Database open_store_for_reading(const fs::path& path, milliseconds busy_timeout) {
  switch (inspect(path)) {
    case Found::nothing:
      throw InputError(path.string(), "does not exist", kNameAStore);
    case Found::empty:
      throw InputError(path.string(), "is empty", kNameAStore);
    case Found::store:
      break;
  }
  Database database(path, lies_still(path) ? Database::Access::immutable : Database::Access::read,
                    busy_timeout);
  check_contents(path, database);
  const auto version = database.value<std::int64_t>("PRAGMA user_version");
  if (version < static_cast<std::int64_t>(store_migrations().size())) {
    throw InputError(path.string(), fmt::format("is of the older schema version {}", version),
                     "let a command that writes, as `qassay verify`, bring it up to date");
  }
  database.checkpoint_on_close(true);
  return database;
}

}  // namespace qassay
