#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/record.hpp"
#include "core/statistics.hpp"
#include "harness/claims/claim.hpp"
#include "harness/claims/decide.hpp"
#include "harness/claims/evidence.hpp"

namespace qassay {

/// What a verdict has from its claim.
VerdictRow blank_row(const Claim& claim, const ClaimPart& part, std::string scheme,
                     ClaimRegime regime);
void set_verdict(VerdictRow& row, Outcome outcome, std::optional<ReasonCode> reason);
void set_estimate(VerdictRow& row, const Interval& found);

/// The mean of the ends holds however the evaluations depend on each other: kernels that evaluate
/// one model on the same samples err together.
Interval mean_over_evaluations(const std::vector<CellFigure>& figures);

/// Those of the figures, each once.
std::string joined_baselines(const std::vector<CellFigure>& figures);

}  // namespace qassay
