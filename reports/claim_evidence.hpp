#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/record.hpp"

namespace qassay {

/// The rows of one claim, in the order in which they came, those that are not testable last.
struct ClaimRows {
  std::vector<const VerdictRow*> rows;

  const VerdictRow& first() const { return *rows.front(); }
};

/// A verdict by its words, its sign and its colour, as HTML.
std::string verdict_badge(std::string_view verdict);

/// A figure that was not measured says so wherever it stands.
std::string estimate_words(const VerdictRow& row);

/// Why rows have no figure: "The backend has no kernel for it (12); It needs a GPU, and none is
/// here (2).", the commonest reason first.
std::string silence_words(const std::vector<const VerdictRow*>& rows);

/// The evidence on one claim, as HTML: what was tested in a table, what could not be in a closed
/// one whose line says how much and why. `number` names the place that links lead to.
std::string claim_evidence(const ClaimRows& claim, std::size_t number, bool quick);

}  // namespace qassay
