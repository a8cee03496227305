#include "core/toml_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"

namespace qassay {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

toml::table parse_toml(std::string_view text, std::string_view file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}", file, error.source().begin.line),
                     fmt::format("is not TOML ({})", error.description()), "mend the syntax there");
  }
}

TomlTable::TomlTable(const toml::table& table, std::string_view file, std::string path)
    : table_(&table), file_(file), path_(std::move(path)) {}

void TomlTable::refuse(std::string_view key, std::string_view fault, std::string_view mend) const {
  const toml::node* node = key.empty() ? nullptr : table_->get(key);
  const auto line = (node != nullptr ? node->source() : table_->source()).begin.line;
  std::string place = file_;
  if (line > 0) place += fmt::format(":{}", line);
  if (!path_.empty()) place += ": " + path_;
  if (!key.empty()) place += fmt::format("{}{}", path_.empty() ? ": " : ", ", key);
  throw InputError(place, fault, mend);
}

void TomlTable::refuse_type(std::string_view key, std::string_view kind) const {
  refuse(key, "has the wrong type", fmt::format("write {}", kind));
}

void TomlTable::allow_only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, node] : *table_) {
    if (std::find(keys.begin(), keys.end(), key.str()) == keys.end()) {
      refuse(key.str(), "is not a known key", fmt::format("known here: {}", fmt::join(keys, ", ")));
    }
  }
}

const toml::node& TomlTable::require(std::string_view key, std::string_view kind) const {
  if (const toml::node* node = table_->get(key)) return *node;
  refuse("", fmt::format("'{}' is missing", key), fmt::format("give {}", kind));
}

std::string TomlTable::text(std::string_view key) const {
  constexpr std::string_view kKind = "a text in quotes";
  const auto value = require(key, kKind).value_exact<std::string>();
  if (!value) refuse_type(key, kKind);
  if (is_blank(*value)) refuse(key, "is empty", fmt::format("write {}", kKind));
  return *value;
}

double TomlTable::finite(std::string_view key, const toml::node& node) const {
  if (!node.is_number()) refuse_type(key, "a number");
  const double value = *node.value<double>();
  if (!std::isfinite(value)) refuse(key, "is not a finite number", "write a plain number");
  return value;
}

double TomlTable::number(std::string_view key) const {
  return finite(key, require(key, "a number"));
}

double TomlTable::positive(std::string_view key) const {
  const double value = number(key);
  if (!(value > 0)) refuse(key, "is not above zero", "write a positive number");
  return value;
}

double TomlTable::number(std::string_view key, double low, double high) const {
  const double value = number(key);
  if (!(value >= low && value <= high)) {
    refuse(key, "is out of range", fmt::format("write a number from {} to {}", low, high));
  }
  return value;
}

bool TomlTable::flag(std::string_view key) const {
  constexpr std::string_view kKind = "true or false";
  const auto value = require(key, kKind).value_exact<bool>();
  if (!value) refuse_type(key, kKind);
  return *value;
}

std::int64_t TomlTable::count(std::string_view key) const {
  constexpr std::string_view kKind = "a whole number, 1 or more";
  const auto value = require(key, kKind).value_exact<std::int64_t>();
  if (!value) refuse_type(key, kKind);
  if (*value < 1) refuse(key, "is below 1", fmt::format("write {}", kKind));
  return *value;
}

std::int64_t TomlTable::whole(std::string_view key, const toml::node& node, std::int64_t low,
                              std::int64_t high) const {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < low || *value > high) {
    refuse(key, "is not a whole number in range",
           fmt::format("write one from {} to {}", low, high));
  }
  return *value;
}

std::int64_t TomlTable::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  return whole(key, require(key, "a whole number"), low, high);
}

std::vector<std::int64_t> TomlTable::integers(std::string_view key, std::size_t size,
                                              std::int64_t low, std::int64_t high) const {
  const std::string kind = fmt::format("a list of {} whole numbers", size);
  const toml::array* list = require(key, kind).as_array();
  if (list == nullptr || list->size() != size) refuse_type(key, kind);
  std::vector<std::int64_t> values;
  for (const toml::node& node : *list) values.push_back(whole(key, node, low, high));
  return values;
}

std::vector<std::string> TomlTable::texts(std::string_view key) const {
  constexpr std::string_view kKind = "a list of texts in quotes";
  const toml::array* list = require(key, kKind).as_array();
  if (list == nullptr) refuse_type(key, kKind);
  if (list->empty()) refuse(key, "is empty", "name at least one");
  std::vector<std::string> values;
  for (const toml::node& node : *list) {
    auto value = node.value_exact<std::string>();
    if (!value) refuse_type(key, kKind);
    if (std::find(values.begin(), values.end(), *value) != values.end()) {
      refuse(key, fmt::format("names '{}' twice", *value), "name it once");
    }
    values.push_back(std::move(*value));
  }
  return values;
}

std::vector<double> TomlTable::numbers(std::string_view key) const {
  const toml::array* list = require(key, "a list of numbers").as_array();
  if (list == nullptr) refuse_type(key, "a list of numbers");
  std::vector<double> values;
  for (const toml::node& node : *list) values.push_back(finite(key, node));
  return values;
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) const {
  const std::string kind = fmt::format("[[{}]] tables", key);
  const toml::array* list = require(key, kind).as_array();
  if (list == nullptr) refuse_type(key, kind);
  if (list->empty()) refuse(key, "is empty", fmt::format("write at least one [[{}]]", key));
  std::vector<TomlTable> result;
  for (const toml::node& node : *list) {
    if (!node.is_table()) refuse_type(key, kind);
    const auto name = fmt::format("{} {}", key, result.size() + 1);
    result.emplace_back(*node.as_table(), file_,
                        path_.empty() ? name : fmt::format("{}, {}", path_, name));
  }
  return result;
}

TomlTable TomlTable::table(std::string_view key) const {
  const std::string kind = fmt::format("a table {} = {{ ... }}", key);
  const toml::node& node = require(key, kind);
  if (!node.is_table()) refuse_type(key, kind);
  return {*node.as_table(), file_,
          path_.empty() ? std::string(key) : fmt::format("{}, {}", path_, key)};
}

}  // namespace qassay
