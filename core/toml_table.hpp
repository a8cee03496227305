#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {

/// Throws InputError with the line for text that is not TOML.
toml::table parse_toml(std::string_view text, std::string_view file);

/// One table of a TOML file, read strictly: every fault is an InputError with file, line, path of
/// the key, fault and mend.
class TomlTable {
 public:
  /// `path`: of the table, for messages ("claim 2"); empty for the whole file. The toml++ table has
  /// to outlive this.
  TomlTable(const toml::table& table, std::string_view file, std::string path = "");

  void allow_only(std::initializer_list<std::string_view> keys) const;
  void rename(std::string path) { path_ = std::move(path); }
  bool has(std::string_view key) const { return table_->contains(key); }

  /// Required keys.
  std::string text(std::string_view key) const;  // not blank
  double number(std::string_view key) const;     // finite
  double positive(std::string_view key) const;
  double number(std::string_view key, double low, double high) const;
  bool flag(std::string_view key) const;
  std::int64_t count(std::string_view key) const;  // whole, 1 or more
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  std::vector<std::int64_t> integers(std::string_view key, std::size_t size, std::int64_t low,
                                     std::int64_t high) const;
  std::vector<std::string> texts(std::string_view key) const;  // not empty, no duplicates
  std::vector<double> numbers(std::string_view key) const;     // finite
  std::vector<TomlTable> tables(std::string_view key) const;   // not empty
  TomlTable table(std::string_view key) const;

  /// A fault of `key`, or of the table where the key is empty.
  [[noreturn]] void refuse(std::string_view key, std::string_view fault,
                           std::string_view mend) const;

 private:
  const toml::node& require(std::string_view key, std::string_view kind) const;
  double finite(std::string_view key, const toml::node& node) const;
  std::int64_t whole(std::string_view key, const toml::node& node, std::int64_t low,
                     std::int64_t high) const;
  [[noreturn]] void refuse_type(std::string_view key, std::string_view kind) const;

  const toml::table* table_;
  std::string file_;
  std::string path_;
};

}  // namespace qassay
