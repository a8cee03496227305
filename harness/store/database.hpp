#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace qassay {

/// A thin owner of SQLite's handles. What people can mend (a full disk, a lock, a file that may not
/// be written, damage) is an InputError that names the file; what only a programmer can mend (a
/// broken constraint, bad SQL, a figure that is not finite) is a std::logic_error.

/// Another process kept the file locked for longer than the busy timeout.
class LockedError : public InputError {
 public:
  using InputError::InputError;
};

/// One prepared statement. Lives no longer than its Database.
class Statement {
 public:
  /// Starts anew with ?1, ?2, ... set to these values, which are copied. A double that is not
  /// finite is refused: SQLite would turn NaN into NULL without a word.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }

  /// Goes to the next row; false when there is none.
  bool next();
  /// For statements that give no rows.
  void run();

  /// Copies the columns of the current row, from the first on; NULL reads as 0 or "".
  template <typename... Fields>
  void read(Fields&... fields) const {
    int column = 0;
    (read_one(column++, fields), ...);
  }
  /// The first column of the current row.
  template <typename Field>
  Field value() const {
    Field field{};
    read_one(0, field);
    return field;
  }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void reset();
  void bind_one(int index, std::int64_t value);
  void bind_one(int index, int value) { bind_one(index, std::int64_t{value}); }
  void bind_one(int index, double value);
  void bind_one(int index, std::string_view text);
  void bind_one(int index, const char* text) { bind_one(index, std::string_view(text)); }
  void bind_one(int index, std::span<const std::uint8_t> bytes);
  void bind_one(int index, std::nullopt_t);  // NULL
  void bind_one(int index, bool) = delete;   // say which of 0 and 1 is meant
  void check_bound(int code);

  void read_one(int column, std::int64_t& field) const;
  void read_one(int column, int& field) const;
  void read_one(int column, bool& field) const;
  void read_one(int column, double& field) const;
  void read_one(int column, std::string& field) const;
  void read_one(int column, std::vector<std::uint8_t>& field) const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Access {
    write,     // creates the file when it is missing
    read,      // refuses statements that write
    immutable  // looks at the main file alone: no locks, no log, no file beside it
  };

  Database(const std::filesystem::path& path, Access access,
           std::chrono::milliseconds busy_timeout);

  Statement prepare(std::string_view sql) const;
  /// Several statements without parameters, separated by semicolons.
  void execute(const std::string& sql);
  template <typename Field>
  Field value(std::string_view sql) const {
    Statement statement = prepare(sql);
    return statement.next() ? statement.value<Field>() : Field{};
  }

  std::int64_t last_id() const;
  /// SQLite opens a file that may not be written for reading, without a word.
  bool read_only() const;
  bool in_transaction() const;
  /// Whether closing the last connection folds the log into the main file.
  void checkpoint_on_close(bool on);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

/// All or nothing: rolls back unless committed. Waits for the write lock at once, so that it cannot
/// fail half way for want of it.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
};

}  // namespace qassay
