#include "harness/store/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <new>
#include <stdexcept>

namespace qassay {
namespace {

std::string place(sqlite3* database) {
  const char* name = sqlite3_db_filename(database, "main");
  return name == nullptr || *name == '\0' ? "the store" : name;
}

[[noreturn]] void raise(sqlite3* database, const std::string& file, int code) {
  const int system_error = sqlite3_system_errno(database);
  const std::string said = sqlite3_errmsg(database);
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      throw LockedError(file, "is locked by another process",
                        "wait until that process ends, or name another store");
    case SQLITE_FULL:
      throw InputError(file, "cannot grow, the disk is full",
                       "free some space and go on; what was stored before is unharmed");
    case SQLITE_READONLY:
      throw InputError(file, "may not be written",
                       "change the permissions of the file and its folder, or name another store");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw InputError(
          file,
          fmt::format("cannot be opened ({})", system_error ? std::strerror(system_error) : said),
          "check that the file and its folder exist and that you may write them");
    case SQLITE_NOTADB:
      throw InputError(file, "is not a database", "name a store that `qassay run` wrote");
    case SQLITE_CORRUPT:
      throw InputError(file, fmt::format("is damaged ({})", said),
                       "restore a copy of it, or name another store");
    case SQLITE_IOERR:
      if (no_space) raise(database, file, SQLITE_FULL);
      throw InputError(file,
                       fmt::format("cannot be read or written ({})",
                                   system_error ? std::strerror(system_error) : said),
                       "check the disk that it lies on");
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    default:
      break;
  }
  if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY) {
    throw InputError(file, fmt::format("already holds this row ({})", said),
                     "let the other process that writes the same run end");
  }
  throw std::logic_error(fmt::format("{}: {} (SQLite {})", file, said, code));
}

[[noreturn]] void raise(sqlite3* database, int code) { raise(database, place(database), code); }

// A path as a URI, the only way to ask SQLite for an immutable file.
std::string immutable_uri(const std::filesystem::path& path) {
  std::string uri = "file://";
  for (const char letter : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || letter == '/' || letter == '.' || letter == '-') {
      uri += letter;
    } else {
      uri += fmt::format("%{:02x}", byte);
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::reset() { sqlite3_reset(statement_.get()); }

bool Statement::next() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) raise(sqlite3_db_handle(statement_.get()), code);
  return false;
}

void Statement::run() {
  while (next()) {
  }
  // A statement that is left open would hold its read lock.
  reset();
}

void Statement::check_bound(int code) {
  if (code != SQLITE_OK) raise(sqlite3_db_handle(statement_.get()), code);
}

void Statement::bind_one(int index, std::int64_t value) {
  check_bound(sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind_one(int index, double value) {
  if (!std::isfinite(value)) {
    throw std::logic_error(fmt::format("{} must not reach the store: parameter {} of {}", value,
                                       index, sqlite3_sql(statement_.get())));
  }
  check_bound(sqlite3_bind_double(statement_.get(), index, value));
}

void Statement::bind_one(int index, std::string_view text) {
  // A null pointer would be bound as NULL, and the text of an empty view may be one.
  check_bound(sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(),
                                  text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bind_one(int index, std::span<const std::uint8_t> bytes) {
  check_bound(bytes.empty() ? sqlite3_bind_zeroblob(statement_.get(), index, 0)
                            : sqlite3_bind_blob64(statement_.get(), index, bytes.data(),
                                                  bytes.size(), SQLITE_TRANSIENT));
}

void Statement::bind_one(int index, std::nullopt_t) {
  check_bound(sqlite3_bind_null(statement_.get(), index));
}

void Statement::read_one(int column, std::int64_t& field) const {
  field = sqlite3_column_int64(statement_.get(), column);
}

void Statement::read_one(int column, int& field) const {
  field = sqlite3_column_int(statement_.get(), column);
}

void Statement::read_one(int column, bool& field) const {
  field = sqlite3_column_int(statement_.get(), column) != 0;
}

void Statement::read_one(int column, double& field) const {
  field = sqlite3_column_double(statement_.get(), column);
}

void Statement::read_one(int column, std::string& field) const {
  const auto* text = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  field.assign(text == nullptr ? "" : text, static_cast<std::size_t>(bytes));
}

void Statement::read_one(int column, std::vector<std::uint8_t>& field) const {
  const auto* first =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  field.assign(first, first + bytes);
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Database::Database(const std::filesystem::path& path, Access access,
                   std::chrono::milliseconds busy_timeout) {
  const std::string name =
      access == Access::immutable ? immutable_uri(path) : std::filesystem::absolute(path).string();
  int flags = SQLITE_OPEN_EXRESCODE;
  if (access == Access::write) flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // Not SQLITE_OPEN_READONLY: such a connection leaves the log and its index behind. Where the file
  // may not be written SQLite falls back to it by itself.
  if (access == Access::read) flags |= SQLITE_OPEN_READWRITE;
  if (access == Access::immutable) flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;

  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  database_.reset(handle);
  if (handle == nullptr) throw std::bad_alloc();
  if (code != SQLITE_OK) raise(handle, path.string(), code);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  if (access == Access::read) execute("PRAGMA query_only = ON");
}

Statement Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) raise(database_.get(), code);
  return Statement(statement);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(database_.get(), code);
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(database_.get()); }

bool Database::read_only() const { return sqlite3_db_readonly(database_.get(), "main") == 1; }

bool Database::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

void Database::checkpoint_on_close(bool on) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // SQLite itself has rolled back after some errors, a full disk among them.
  if (!database_.in_transaction()) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const std::exception&) {
    // The log is not marked committed: the next reader drops what was written.
  }
}

void Transaction::commit() { database_.execute("COMMIT"); }

}  // namespace qassay
