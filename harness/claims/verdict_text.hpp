#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/record.hpp"

namespace qassay {

/// The verdicts for a person at a terminal: per claim its words and its range, then a line per
/// verdict with the estimate, its 95 % interval and the coverage, then why. Running text is wrapped
/// at `width` (60 at least); the lines of verdicts are 100 wide at most, long names cut with an
/// ellipsis. Plain words, no colours. Rows of a claim stand together as judge_all returns them.
/// Strings from outside are made printable.
std::string verdict_table(std::span<const VerdictRow> rows, std::size_t width = 100);

/// One sentence: where the interval lies against the range, and what that means.
std::string explain(const VerdictRow& row);

/// A JSON list, one object a verdict. Keys: id, verdict, reason, kind, scheme, regime, backend,
/// baseline, estimate, low, high, claimed_low, claimed_high, covered, cells, then better, unit,
/// statement, source, note. estimate, low and high are null where nothing is testable.
std::string verdict_json(std::span<const VerdictRow> rows);

}  // namespace qassay
