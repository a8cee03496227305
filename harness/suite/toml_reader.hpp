#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {

/// Strict reading of one TOML table: every key is asked for once, and finish() refuses those that
/// nobody asked for. All faults are InputErrors that name file, line, key and the mend.
class TomlReader {
 public:
  TomlReader(const toml::table& table, std::string place, std::string where = "");

  bool has(std::string_view key) const { return table_.contains(key); }

  std::string text(std::string_view key);
  std::string text_or(std::string_view key, std::string fallback);
  std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t least,
                          std::int64_t most);
  double number(std::string_view key);
  double number_or(std::string_view key, double fallback, double least, double most);
  bool flag_or(std::string_view key, bool fallback);
  /// Not empty, no two equal.
  std::vector<std::string> texts(std::string_view key);
  TomlReader table(std::string_view key);
  /// Not empty; each element is a table, to be read and finished by the caller.
  std::vector<TomlReader> tables(std::string_view key);

  void finish() const;

  [[noreturn]] void fail(std::string_view key, std::string_view fault, std::string_view mend) const;

 private:
  const toml::node& get(std::string_view key);
  std::string locate(std::string_view key) const;

  const toml::table& table_;
  std::string place_;
  std::string where_;  // path of this table, such as "sweep[1]"
  std::set<std::string, std::less<>> asked_;
};

/// Parses; a syntax error becomes an InputError with its line.
toml::table parse_toml(std::string_view text, std::string_view place);

}  // namespace qassay
