#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

namespace qassay {

/// Shows how far a run is and the time left: one line that is rewritten on a terminal, plain lines
/// elsewhere.
class Progress {
 public:
  /// `total`: legs to come, by group.
  Progress(const std::map<std::string, int>& total, std::FILE* out);
  ~Progress();

  void begin_leg(std::string_view group, int leg, int legs);
  void end_leg(std::string_view group, double seconds);
  /// A line that stays.
  void say(std::string_view text);

 private:
  double seconds_left() const;
  void show(const std::string& line);

  std::map<std::string, int, std::less<>> left_;
  std::map<std::string, double, std::less<>> seconds_;  // of the last leg of each group
  int total_ = 0;
  int done_ = 0;
  std::FILE* out_;
  bool terminal_;
  bool open_line_ = false;
};

}  // namespace qassay
