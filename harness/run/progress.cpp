#include "harness/run/progress.hpp"

#include <fmt/format.h>

namespace qassay {

Progress::Progress(const std::map<std::string, int>& total, std::FILE* out) : line_(out) {
  for (const auto& [group, legs] : total) {
    left_[group] = legs;
    total_ += legs;
  }
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

void Progress::begin_leg(std::string_view group, int leg, int legs) {
  const std::string left = done_ == 0 ? "" : fmt::format("  {} left", clock_text(seconds_left()));
  leg_ = fmt::format("[{}/{}] {} leg {} of {}{}", done_ + 1, total_, group, leg + 1, legs, left);
  line_.show(leg_);
}

void Progress::end_leg(std::string_view group, double seconds) {
  ++done_;
  --left_.find(group)->second;
  seconds_[std::string(group)] = seconds;
}

void Progress::detail(std::string_view text) { line_.passing(fmt::format("{}  {}", leg_, text)); }

}  // namespace qassay
