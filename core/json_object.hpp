#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qassay {

/// Throws InputError for text that is not JSON, nests deeper than `depth` (1: values in one object
/// or list), or gives an object one key twice.
nlohmann::json parse_json(std::string_view text, std::string_view file, int depth);

/// Text from a file as a message can show it: cut to 80 bytes, control characters as '?'.
std::string excerpt(std::string_view text);

/// One object of a JSON file, read strictly: every fault is an InputError with file, path of the
/// key, fault and mend.
class JsonObject {
 public:
  /// `path`: of the object, for messages ("input"); empty for the whole file. The value has to
  /// outlive this. Throws InputError when it is no object.
  JsonObject(const nlohmann::json& object, std::string_view file, std::string path = "");

  void allow_only(const std::vector<std::string_view>& keys) const;
  void rename(std::string path) { path_ = std::move(path); }
  bool has(std::string_view key) const { return object_->contains(key); }
  /// There, and not null.
  bool given(std::string_view key) const { return has(key) && !(*object_)[key].is_null(); }
  std::vector<std::string> keys() const;

  /// Required keys.
  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  double number(std::string_view key, double low, double high) const;
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  std::vector<std::int64_t> integers(std::string_view key, std::int64_t low,
                                     std::int64_t high) const;
  std::vector<std::string> texts(std::string_view key) const;
  JsonObject object(std::string_view key) const;
  /// Named "KEY 1" and on.
  std::vector<JsonObject> objects(std::string_view key) const;

  /// A fault of `key`, or of the object where the key is empty.
  [[noreturn]] void refuse(std::string_view key, std::string_view fault,
                           std::string_view mend) const;

 private:
  const nlohmann::json& require(std::string_view key, std::string_view kind) const;
  const nlohmann::json& list(std::string_view key, std::string_view kind) const;
  std::int64_t whole(std::string_view key, const nlohmann::json& value, std::int64_t low,
                     std::int64_t high) const;
  std::string path_of(std::string_view key) const;
  [[noreturn]] void refuse_type(std::string_view key, std::string_view kind) const;

  const nlohmann::json* object_;
  std::string file_;
  std::string path_;
};

}  // namespace qassay
