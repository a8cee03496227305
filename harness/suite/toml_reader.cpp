#include "harness/suite/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"

namespace qassay {

toml::table parse_toml(std::string_view text, std::string_view place) {
  try {
    return toml::parse(text, place);
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}", place, error.source().begin.line),
                     fmt::format("is not TOML ({})", error.description()), "mend the syntax there");
  }
}

TomlReader::TomlReader(const toml::table& table, std::string place, std::string where)
    : table_(table), place_(std::move(place)), where_(std::move(where)) {}

std::string TomlReader::locate(std::string_view key) const {
  const toml::node* node = table_.get(key);
  const auto line = (node == nullptr ? table_ : *node).source().begin.line;
  return fmt::format("{}:{}: {}{}{}", place_, line, where_, where_.empty() ? "" : ".", key);
}

void TomlReader::fail(std::string_view key, std::string_view fault, std::string_view mend) const {
  throw InputError(locate(key), fault, mend);
}

const toml::node& TomlReader::get(std::string_view key) {
  asked_.emplace(key);
  const toml::node* node = table_.get(key);
  if (node == nullptr) fail(key, "is missing", "add it");
  return *node;
}

std::string TomlReader::text(std::string_view key) {
  const auto value = get(key).value_exact<std::string>();
  if (!value || value->empty()) fail(key, "is not a text", "write it in quotes, not empty");
  return *value;
}

std::string TomlReader::text_or(std::string_view key, std::string fallback) {
  return has(key) ? text(key) : std::move(fallback);
}

std::int64_t TomlReader::integer_or(std::string_view key, std::int64_t fallback, std::int64_t least,
                                    std::int64_t most) {
  if (!has(key)) return fallback;
  const auto value = get(key).value_exact<std::int64_t>();
  if (!value || *value < least || *value > most) {
    fail(key, "is not a whole number in range",
         fmt::format("write one from {} to {}", least, most));
  }
  return *value;
}

double TomlReader::number(std::string_view key) {
  const toml::node& node = get(key);
  const auto value = node.is_number() ? node.value<double>() : std::nullopt;
  if (!value || !(*value >= -1e300 && *value <= 1e300))
    fail(key, "is not a finite number", "write one");
  return *value;
}

double TomlReader::number_or(std::string_view key, double fallback, double least, double most) {
  if (!has(key)) return fallback;
  const double value = number(key);
  if (!(value >= least && value <= most)) {
    fail(key, "is out of range", fmt::format("write a number from {} to {}", least, most));
  }
  return value;
}

bool TomlReader::flag_or(std::string_view key, bool fallback) {
  if (!has(key)) return fallback;
  const auto value = get(key).value_exact<bool>();
  if (!value) fail(key, "is neither true nor false", "write one of them, without quotes");
  return *value;
}

std::vector<std::string> TomlReader::texts(std::string_view key) {
  const toml::array* array = get(key).as_array();
  if (array == nullptr) fail(key, "is not a list", "write [\"...\", \"...\"]");
  if (array->empty()) fail(key, "is an empty list", "name at least one");
  std::vector<std::string> values;
  for (const toml::node& node : *array) {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty())
      fail(key, "has an element that is not a text", "write each in quotes, not empty");
    if (std::ranges::find(values, *value) != values.end()) {
      fail(key, fmt::format("names '{}' twice", *value), "name it once");
    }
    values.push_back(*value);
  }
  return values;
}

TomlReader TomlReader::table(std::string_view key) {
  const toml::table* table = get(key).as_table();
  if (table == nullptr) fail(key, "is not a table", fmt::format("write a [{}] section", key));
  return {*table, place_, fmt::format("{}{}{}", where_, where_.empty() ? "" : ".", key)};
}

std::vector<TomlReader> TomlReader::tables(std::string_view key) {
  const toml::array* array = get(key).as_array();
  if (array == nullptr || array->empty())
    fail(key, "is not a list of tables", "write at least one");
  std::vector<TomlReader> readers;
  for (const toml::node& node : *array) {
    const toml::table* table = node.as_table();
    if (table == nullptr)
      fail(key, "has an element that is not a table", "write { ... } or a [[section]]");
    const std::string where =
        fmt::format("{}{}{}[{}]", where_, where_.empty() ? "" : ".", key, readers.size());
    readers.emplace_back(*table, place_, where);
  }
  return readers;
}

void TomlReader::finish() const {
  for (const auto& [key, node] : table_) {
    if (asked_.contains(key.str())) continue;
    fail(key.str(), "is not a known key", "remove it or mend its name");
  }
}

}  // namespace qassay
