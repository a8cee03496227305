#pragma once

#include <string_view>

#include "core/statistics.hpp"
#include "harness/claims/claim.hpp"

namespace qassay {

enum class Outcome { confirmed, refuted, better_than_claimed, inconclusive, not_testable };
std::string_view to_string(Outcome outcome);

/// Where an interval lies against a claimed range. The bad end is the low one where higher is
/// better and the high one where lower is better; the good end is the other.
///
///   refuted              the whole interval lies beyond the bad end
///   better_than_claimed  the whole interval lies beyond the good end
///   inconclusive         it straddles the bad end: some of it beyond, some not
///   confirmed            otherwise: no part of it is beyond the bad end, some is in the range
///
/// The ends belong to the range: an interval that touches an end from inside is confirmed, one that
/// reaches the bad end from beyond it with its last point is inconclusive, and one that touches the
/// good end from beyond is confirmed. An exact figure (low == high) is never inconclusive.
Outcome decide(const Interval& found, const ClaimedRange& claimed, Better better);

}  // namespace qassay
