#include "core/json_object.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "core/error.hpp"

namespace qassay {

using nlohmann::json;

json parse_json(std::string_view text, std::string_view file, int depth) {
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const auto watch = [&](int level, json::parse_event_t event, json& value) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (level >= depth) {
          throw InputError(file, fmt::format("nests deeper than {} levels", depth),
                           "check that it is the right file");
        }
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        break;
      case json::parse_event_t::object_end:
        keys.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys.back().insert(value.get_ref<const std::string&>()).second) {
          throw InputError(file,
                           fmt::format("has the key '{}' twice in one object",
                                       excerpt(value.get_ref<const std::string&>())),
                           "remove one of them");
        }
        break;
      default:
        break;
    }
    return true;
  };
  // The library takes a zero byte for the end of the text.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    throw InputError(file, fmt::format("is not JSON (byte {})", zero + 1), "mend the syntax there");
  }
  try {
    return json::parse(text.begin(), text.end(), watch);
  } catch (const json::parse_error& error) {
    throw InputError(file, fmt::format("is not JSON (byte {})", error.byte),
                     "mend the syntax there");
  } catch (const json::out_of_range&) {
    throw InputError(file, "has a number that is too large for a computer",
                     "write a smaller number");
  }
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::size_t size = std::min(text.size(), kMost);
  const auto continues = [&](std::size_t i) { return (text[i] & 0xC0) == 0x80; };  // UTF-8
  while (size < text.size() && size > 0 && continues(size)) --size;
  std::string result(text.substr(0, size));
  std::ranges::replace_if(
      result, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  if (size < text.size()) result += "...";
  return result;
}

JsonObject::JsonObject(const json& object, std::string_view file, std::string path)
    : object_(&object), file_(file), path_(std::move(path)) {
  if (!object.is_object()) refuse("", "is not a JSON object", "write { ... }");
}

std::string JsonObject::path_of(std::string_view key) const {
  if (path_.empty() || key.empty()) return path_ + excerpt(key);
  return fmt::format("{}, {}", path_, excerpt(key));
}

void JsonObject::refuse(std::string_view key, std::string_view fault, std::string_view mend) const {
  const std::string path = path_of(key);
  throw InputError(path.empty() ? file_ : fmt::format("{}: {}", file_, path), fault, mend);
}

void JsonObject::refuse_type(std::string_view key, std::string_view kind) const {
  refuse(key, "has the wrong type", fmt::format("write {}", kind));
}

void JsonObject::allow_only(const std::vector<std::string_view>& keys) const {
  for (const auto& [key, value] : object_->items()) {
    if (std::ranges::find(keys, key) == keys.end()) {
      refuse(key, "is not a known key", fmt::format("known here: {}", fmt::join(keys, ", ")));
    }
  }
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> all;
  for (const auto& [key, value] : object_->items()) all.push_back(key);
  return all;
}

const json& JsonObject::require(std::string_view key, std::string_view kind) const {
  if (const auto found = object_->find(key); found != object_->end()) return *found;
  refuse("", fmt::format("'{}' is missing", excerpt(key)), fmt::format("give {}", kind));
}

const json& JsonObject::list(std::string_view key, std::string_view kind) const {
  const json& value = require(key, kind);
  if (!value.is_array()) refuse_type(key, kind);
  return value;
}

std::string JsonObject::text(std::string_view key) const {
  constexpr std::string_view kKind = "a text in quotes";
  const json& value = require(key, kKind);
  if (!value.is_string()) refuse_type(key, kKind);
  return value.get<std::string>();
}

bool JsonObject::flag(std::string_view key) const {
  constexpr std::string_view kKind = "true or false";
  const json& value = require(key, kKind);
  if (!value.is_boolean()) refuse_type(key, kKind);
  return value.get<bool>();
}

double JsonObject::number(std::string_view key, double low, double high) const {
  const json& value = require(key, "a number");
  if (!value.is_number()) refuse_type(key, "a number");
  const auto number = value.get<double>();
  if (!(number >= low && number <= high)) {
    refuse(key, "is out of range", fmt::format("write a number from {} to {}", low, high));
  }
  return number;
}

std::int64_t JsonObject::whole(std::string_view key, const json& value, std::int64_t low,
                               std::int64_t high) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMost);
  if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
    refuse(key, "is not a whole number in range",
           fmt::format("write one from {} to {}", low, high));
  }
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  return whole(key, require(key, "a whole number"), low, high);
}

std::vector<std::int64_t> JsonObject::integers(std::string_view key, std::int64_t low,
                                               std::int64_t high) const {
  std::vector<std::int64_t> values;
  for (const json& value : list(key, "a list of whole numbers")) {
    values.push_back(whole(key, value, low, high));
  }
  return values;
}

std::vector<std::string> JsonObject::texts(std::string_view key) const {
  constexpr std::string_view kKind = "a list of texts in quotes";
  std::vector<std::string> values;
  for (const json& value : list(key, kKind)) {
    if (!value.is_string()) refuse_type(key, kKind);
    values.push_back(value.get<std::string>());
  }
  return values;
}

JsonObject JsonObject::object(std::string_view key) const {
  return {require(key, "an object { ... }"), file_, path_of(key)};
}

std::vector<JsonObject> JsonObject::objects(std::string_view key) const {
  std::vector<JsonObject> all;
  for (const json& value : list(key, "a list of objects")) {
    all.emplace_back(value, file_, fmt::format("{} {}", path_of(key), all.size() + 1));
  }
  return all;
}

}  // namespace qassay
