#include "harness/claims/decide.hpp"

namespace qassay {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::confirmed:
      return "confirmed";
    case Outcome::refuted:
      return "refuted";
    case Outcome::better_than_claimed:
      return "better_than_claimed";
    case Outcome::inconclusive:
      return "inconclusive";
    case Outcome::not_testable:
      break;
  }
  return "not_testable";
}

Outcome decide(const Interval& found, const ClaimedRange& claimed, Better better) {
  if (better == Better::lower) {
    // Mirrored at zero, so that there is one set of rules and one place for its boundaries.
    return decide({-found.value, -found.high, -found.low, found.count},
                  {-claimed.high, -claimed.low}, Better::higher);
  }
  if (found.high < claimed.low) return Outcome::refuted;
  if (found.low > claimed.high) return Outcome::better_than_claimed;
  if (found.low < claimed.low) return Outcome::inconclusive;
  return Outcome::confirmed;
}

}  // namespace qassay
