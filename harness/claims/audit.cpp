#include "harness/claims/audit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <string_view>
#include <utility>

namespace qassay {
namespace {

constexpr double kPercent = 100;
constexpr double kRounding = 1e-9;  // of double arithmetic on decimal figures, relative

double result_of(const Audit& audit) {
  const std::vector<double>& x = audit.figures;
  switch (audit.operation) {
    case Audit::Operation::sum:
      return std::accumulate(x.begin(), x.end(), 0.0);
    case Audit::Operation::product:
      return std::accumulate(x.begin(), x.end(), 1.0, std::multiplies<>());
    case Audit::Operation::difference:
      return x[0] - x[1];
    case Audit::Operation::quotient:
      return x[0] / x[1];
    case Audit::Operation::change:
      break;
  }
  return kPercent * (x[1] - x[0]) / x[0];
}

std::string in_words(const Audit& audit) {
  const auto joined = [&](std::string_view sign) {
    return fmt::format("{:g}", fmt::join(audit.figures, sign));
  };
  switch (audit.operation) {
    case Audit::Operation::sum:
      return joined(" + ");
    case Audit::Operation::product:
      return joined(" * ");
    case Audit::Operation::difference:
      return joined(" - ");
    case Audit::Operation::quotient:
      return joined(" / ");
    case Audit::Operation::change:
      break;
  }
  return fmt::format("from {} in percent", joined(" to "));
}

}  // namespace

std::string contradiction(const Audit& audit) {
  const double result = result_of(audit);
  const double slack = audit.tolerance + kRounding * std::abs(result);
  if (audit.printed_low - slack <= result && result <= audit.printed_high + slack) return "";
  const std::string printed =
      audit.printed_low == audit.printed_high
          ? fmt::format("{:g}", audit.printed_low)
          : fmt::format("{:g} to {:g}", audit.printed_low, audit.printed_high);
  return fmt::format("{} = {:.4g}, and {} is printed ({})", in_words(audit), result, printed,
                     audit.of);
}

std::string contradictions(const std::vector<Audit>& audits) {
  std::vector<std::string> all;
  for (const Audit& audit : audits) {
    if (std::string text = contradiction(audit); !text.empty()) all.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(all, "; "));
}

}  // namespace qassay
