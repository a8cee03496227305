#include "harness/run/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

namespace qassay {
namespace {

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(const std::map<std::string, int>& total, std::FILE* out)
    : out_(out), terminal_(isatty(fileno(out)) != 0) {
  for (const auto& [group, legs] : total) {
    left_[group] = legs;
    total_ += legs;
  }
}

Progress::~Progress() {
  if (open_line_) fmt::print(out_, "\n");
}

double Progress::seconds_left() const {
  double known = 0;
  for (const auto& [group, seconds] : seconds_) known += seconds;
  const double usual = seconds_.empty() ? 0 : known / static_cast<double>(seconds_.size());
  double sum = 0;
  for (const auto& [group, legs] : left_) {
    const auto seen = seconds_.find(group);
    sum += legs * (seen == seconds_.end() ? usual : seen->second);
  }
  return sum;
}

void Progress::show(const std::string& line) {
  if (terminal_) {
    fmt::print(out_, "\r\033[K{}", line);
    open_line_ = true;
  } else {
    fmt::print(out_, "{}\n", line);
  }
  std::fflush(out_);
}

void Progress::begin_leg(std::string_view group, int leg, int legs) {
  const std::string left = done_ == 0 ? "" : fmt::format("  {} left", clock_text(seconds_left()));
  show(fmt::format("[{}/{}] {} leg {} of {}{}", done_ + 1, total_, group, leg + 1, legs, left));
}

void Progress::end_leg(std::string_view group, double seconds) {
  ++done_;
  --left_.find(group)->second;
  seconds_[std::string(group)] = seconds;
}

void Progress::say(std::string_view text) {
  if (open_line_) fmt::print(out_, "\r\033[K");
  open_line_ = false;
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace qassay
