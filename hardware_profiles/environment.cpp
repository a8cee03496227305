#include "hardware_profiles/environment.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qassay {
namespace {

std::string load_average(const Sources& sources) {
  const std::string line = read_line(sources.at("/proc/loadavg")).value_or("");
  std::string_view words = line;
  std::string loads;
  for (int i = 0; i < 3; ++i) {
    const std::string_view load = take_word(words);
    if (load.empty() || load.find_first_not_of("0123456789.") != std::string_view::npos)
      return std::string(kUnknown);
    loads += fmt::format("{}{}", i == 0 ? "" : " ", load);
  }
  return loads;
}

std::string steal_ticks(const Sources& sources) {
  // "cpu user nice system idle iowait irq softirq steal ..."
  constexpr int kSteal = 8;
  const std::string line = read_line(sources.at("/proc/stat")).value_or("");
  std::string_view words = line;
  if (take_word(words) != "cpu") return std::string(kUnknown);
  for (int i = 1; i < kSteal; ++i) take_word(words);
  const std::optional<std::int64_t> ticks = parse_integer(take_word(words));
  return ticks ? fmt::format("{}", *ticks) : std::string(kUnknown);
}

std::string huge_page_bytes(const Sources& sources) {
  const std::optional<std::string> text = read_text(sources.at("/proc/self/smaps_rollup"));
  const std::optional<std::string> size = text ? find_field(*text, "AnonHugePages") : std::nullopt;
  const std::optional<std::int64_t> bytes = size ? parse_kilobytes(*size) : std::nullopt;
  return bytes ? fmt::format("{}", *bytes) : std::string(kUnknown);
}

}  // namespace

std::vector<Fact> environment(const Sources& sources) {
  return {{"load average", load_average(sources)},
          {"steal ticks", steal_ticks(sources)},
          {"bytes on huge pages", huge_page_bytes(sources)}};
}

}  // namespace qassay
