#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace qassay {

/// "12:05": minutes and seconds.
std::string clock_text(double seconds);

/// How far work of equal steps is after `seconds`, and the time left at that pace:
/// "12 of 57 steps, 0:31 left".
std::string steps_text(double seconds, std::size_t done, std::size_t steps);

/// One line that is rewritten on a terminal; plain lines elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(std::FILE* out);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(std::string_view line);
  /// The same for what changes all the time: left out soon after another line.
  void passing(std::string_view line);
  /// A line that stays.
  void say(std::string_view text);

 private:
  std::FILE* out_;
  bool terminal_;
  bool open_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace qassay
