#include "quantizers/method.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <system_error>

#include "core/error.hpp"

namespace qassay {
namespace {

struct AlgorithmName {
  Algorithm algorithm;
  std::string_view name;
};
constexpr std::int64_t kFewestSamples = 8;
constexpr std::int64_t kMostSamples = 100'000;
constexpr std::int64_t kWeightSamples = 128;
constexpr std::int64_t kRangeSamples = 1024;

constexpr AlgorithmName kAlgorithmNames[] = {
    {Algorithm::rtn, "rtn"},   {Algorithm::mse, "mse"}, {Algorithm::hqq, "hqq"},
    {Algorithm::gptq, "gptq"}, {Algorithm::awq, "awq"}, {Algorithm::smoothquant, "smoothquant"}};

[[noreturn]] void refuse_method(std::string_view place, std::string_view text,
                                std::string_view fault) {
  throw InputError(place, fmt::format("method '{}' {}", text, fault),
                   "write rtn, mse, hqq, gptq[-act][-damp<X>], awq[-duo][-noclip] or "
                   "smoothquant[-<alpha>], such as gptq-act or smoothquant-0.8, and behind it "
                   "+<range> or @<samples> where wanted, such as rtn+entropy or gptq@32");
}

/// Takes `word` off the front of the text, if it is followed by another option or the end.
bool take_option(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = text.substr(word.size());
  if (!rest.empty() && rest.front() != '-') return false;
  text = rest;
  return true;
}

/// Takes `word` and the number after it off the front of the text.
std::optional<double> take_number(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return std::nullopt;
  const std::string_view digits = text.substr(word.size());
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value,
                                            std::chars_format::fixed);
  if (error != std::errc{} || digits.front() == '-') return std::nullopt;
  text = digits.substr(static_cast<std::size_t>(end - digits.data()));
  return value;
}

/// Takes what follows the last `sign` off the end of the text.
std::optional<std::string_view> take_ending(std::string_view& text, char sign) {
  const std::size_t place = text.rfind(sign);
  if (place == std::string_view::npos) return std::nullopt;
  const std::string_view ending = text.substr(place + 1);
  text = text.substr(0, place);
  return ending;
}

/// 0 where the text is no number of samples.
std::int64_t parse_samples(std::string_view text) {
  std::int64_t samples = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), samples);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && samples >= kFewestSamples && samples <= kMostSamples ? samples : 0;
}

}  // namespace

Method parse_method(std::string_view text, std::string_view place) {
  Method method;
  std::string_view rest = text;
  if (const auto samples = take_ending(rest, '@')) {
    method.samples = parse_samples(*samples);
    if (method.samples == 0) {
      refuse_method(place, text,
                    fmt::format("has a number of samples that is not from {} to {}", kFewestSamples,
                                kMostSamples));
    }
  }
  if (const auto range = take_ending(rest, '+')) method.ranges = parse_range_choice(*range, place);
  bool known = false;
  for (const auto& [algorithm, name] : kAlgorithmNames) {
    if (known || !take_option(rest, name)) continue;
    method.algorithm = algorithm;
    known = true;
  }
  if (!known) refuse_method(place, text, "is not known");

  if (method.algorithm == Algorithm::gptq) {
    method.act_order = take_option(rest, "-act");
    method.damping = take_number(rest, "-damp").value_or(method.damping);
    if (!(method.damping > 0 && method.damping <= 1)) {
      refuse_method(place, text, "has a damping that is not above 0 and at most 1");
    }
  } else if (method.algorithm == Algorithm::awq) {
    method.duo_scaling = take_option(rest, "-duo");
    method.clips = !take_option(rest, "-noclip");
  } else if (method.algorithm == Algorithm::smoothquant) {
    method.migration = take_number(rest, "-").value_or(method.migration);
    if (!(method.migration >= 0 && method.migration <= 1)) {
      refuse_method(place, text, "has an alpha that is not from 0 to 1");
    }
  }
  if (!rest.empty()) refuse_method(place, text, fmt::format("has an unknown ending '{}'", rest));
  // "gptq-damp0.010" would be a second name of gptq: a method has one text.
  if (to_string(method) != text) refuse_method(place, text, "is not in its shortest form");
  return method;
}

std::string to_string(const Method& method) {
  const Method defaults;
  std::string text;
  for (const auto& [algorithm, name] : kAlgorithmNames) {
    if (algorithm == method.algorithm) text = name;
  }
  if (method.act_order) text += "-act";
  if (method.damping != defaults.damping) text += fmt::format("-damp{}", method.damping);
  if (method.duo_scaling) text += "-duo";
  if (!method.clips) text += "-noclip";
  if (method.migration != defaults.migration) text += fmt::format("-{}", method.migration);
  if (method.ranges != defaults.ranges) text += "+" + to_string(method.ranges);
  if (method.samples != defaults.samples) text += fmt::format("@{}", method.samples);
  return text;
}

std::int64_t weight_samples(const Method& method) {
  return method.samples > 0 ? method.samples : kWeightSamples;
}

std::int64_t range_samples(const Method& method) {
  return method.samples > 0 ? method.samples : kRangeSamples;
}

bool needs_calibration(const Method& method) {
  switch (method.algorithm) {
    case Algorithm::rtn:
    case Algorithm::mse:
    case Algorithm::hqq:
      return false;
    case Algorithm::gptq:
    case Algorithm::awq:
    case Algorithm::smoothquant:
      break;
  }
  return true;
}

}  // namespace qassay
