#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qassay {

/// How a page is looked at.
struct View {
  int width = 1280, height = 900;  // of the window's inside, in CSS pixels
  bool dark = false;               // prefers-color-scheme
  bool scripts = true;             // of the page; evaluate() works either way
};

/// A headless Chromium of its own: empty profile, no network service in the background, driven over
/// a pipe in the Chrome DevTools Protocol. One page at a time. Throws std::runtime_error where
/// Chromium ends, says no, or does not answer within a minute. Everything it left is removed.
class Chromium {
 public:
  /// The program, or nothing where none is installed.
  static std::optional<std::string> find();

  explicit Chromium(const std::string& program);
  ~Chromium();
  Chromium(const Chromium&) = delete;
  Chromium& operator=(const Chromium&) = delete;

  /// Opens a file in a fresh tab and waits until it is loaded.
  void open(const std::filesystem::path& page, const View& view);

  /// Changes the colour scheme that the reader prefers, with the page open.
  void prefer(bool dark);

  /// The value of a JavaScript expression in the page, by way of JSON.
  nlohmann::json evaluate(const std::string& expression);

  /// Addresses that the page asked for since it was opened, itself included.
  const std::vector<std::string>& requests() const { return requests_; }

  /// A PNG of the whole page, below the window's edge too.
  std::string screenshot();
  /// A PDF, as printed on A4.
  std::string pdf();

 private:
  nlohmann::json call(const std::string& method,
                      nlohmann::json parameters = nlohmann::json::object());
  nlohmann::json next_message();
  void note(const nlohmann::json& event);
  void kill_all();

  std::filesystem::path home_;
  pid_t process_ = -1;
  int to_ = -1, from_ = -1;
  std::string buffer_;
  std::string session_;
  int last_id_ = 0;
  bool loaded_ = false;
  std::vector<std::string> requests_;
};

}  // namespace qassay
