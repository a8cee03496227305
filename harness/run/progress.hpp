#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "harness/run/progress_line.hpp"

namespace qassay {

/// Shows how far a run is and the time left.
class Progress {
 public:
  /// `total`: legs to come, by group.
  Progress(const std::map<std::string, int>& total, std::FILE* out);

  void begin_leg(std::string_view group, int leg, int legs);
  void end_leg(std::string_view group, double seconds);
  /// What the leg in hand is at.
  void detail(std::string_view text);
  /// A line that stays.
  void say(std::string_view text) { line_.say(text); }

 private:
  double seconds_left() const;

  std::map<std::string, int, std::less<>> left_;
  std::map<std::string, double, std::less<>> seconds_;  // of the last leg of each group
  int total_ = 0;
  int done_ = 0;
  std::string leg_;  // the line of the leg in hand
  ProgressLine line_;
};

}  // namespace qassay
