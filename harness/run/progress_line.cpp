#include "harness/run/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

namespace qassay {
namespace {

// Between passing lines: on a terminal, where they replace each other, and elsewhere.
constexpr std::chrono::milliseconds kGlance{500};
constexpr std::chrono::seconds kLogged{15};

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string steps_text(double seconds, std::size_t done, std::size_t steps) {
  if (done == 0) return fmt::format("0 of {} steps", steps);
  const double pace = seconds / static_cast<double>(done);
  return fmt::format("{} of {} steps, {} left", done, steps,
                     clock_text(pace * static_cast<double>(steps - done)));
}

ProgressLine::ProgressLine(std::FILE* out) : out_(out), terminal_(isatty(fileno(out)) != 0) {}

ProgressLine::~ProgressLine() {
  if (open_) fmt::print(out_, "\n");
}

void ProgressLine::show(std::string_view line) {
  if (terminal_) {
    fmt::print(out_, "\r\033[K{}", line);
    open_ = true;
  } else {
    fmt::print(out_, "{}\n", line);
  }
  std::fflush(out_);
  last_ = std::chrono::steady_clock::now();
}

void ProgressLine::passing(std::string_view line) {
  const auto since = std::chrono::steady_clock::now() - last_;
  if (terminal_ ? since >= kGlance : since >= kLogged) show(line);
}

void ProgressLine::say(std::string_view text) {
  if (open_) fmt::print(out_, "\r\033[K");
  open_ = false;
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace qassay
